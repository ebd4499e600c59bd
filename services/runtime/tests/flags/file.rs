use super::*;
use runtime::flags::{BUILT_IN, Source};
use std::fs;
use std::path::Path;
use tokio_util::sync::{CancellationToken, DropGuard};

const FLAG: &str = "cart-chaos-errors";

fn text(variant: &str) -> String {
    let mut source: Value = serde_json::from_str(BUILT_IN).unwrap();
    source["flags"][FLAG]["defaultVariant"] = variant.into();
    source.to_string()
}

fn follow(path: &Path) -> (FlagControl, Flags, DropGuard) {
    let (control, _) = control();
    let stop = CancellationToken::new();
    let _task = Source::File(path.to_owned()).follow(control.clone(), "cart", stop.clone());
    let flags = flags(&control, "cart");
    (control, flags, stop.drop_guard())
}

#[tokio::test]
async fn an_edit_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feast.flagd.json");
    fs::write(&path, text("5-percent")).unwrap();
    let (_control, flags, _stop) = follow(&path);
    becomes(&flags, FLAG, Some("5-percent")).await;
    fs::write(&path, text("50-percent")).unwrap();
    becomes(&flags, FLAG, Some("50-percent")).await;
    fs::write(&path, text("off")).unwrap();
    becomes(&flags, FLAG, None).await;
}

#[tokio::test]
async fn an_editor_that_renames_a_new_file_into_place_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feast.flagd.json");
    fs::write(&path, text("off")).unwrap();
    let (_control, flags, _stop) = follow(&path);
    for variant in ["5-percent", "50-percent"] {
        let other = folder.path().join("new");
        fs::write(&other, text(variant)).unwrap();
        fs::rename(&other, &path).unwrap();
        becomes(&flags, FLAG, Some(variant)).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_config_maps_link_swap_arrives() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    // As the kubelet does it: file → ..data/file, ..data → a dated folder, swapped by renaming a new link over the old.
    let publish = |date: &str, variant: &str| {
        fs::create_dir(root.join(date)).unwrap();
        fs::write(root.join(date).join("feast.flagd.json"), text(variant)).unwrap();
        symlink(date, root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    };
    publish("..2026_01", "5-percent");
    symlink("..data/feast.flagd.json", root.join("feast.flagd.json")).unwrap();
    let (_control, flags, _stop) = follow(&root.join("feast.flagd.json"));
    becomes(&flags, FLAG, Some("5-percent")).await;
    publish("..2026_02", "50-percent");
    fs::remove_dir_all(root.join("..2026_01")).unwrap();
    becomes(&flags, FLAG, Some("50-percent")).await;
    publish("..2026_03", "off");
    becomes(&flags, FLAG, None).await;
}

#[tokio::test]
async fn a_half_written_file_or_none_leaves_the_last_known_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feast.flagd.json");
    fs::write(&path, text("5-percent")).unwrap();
    let (control, flags, _stop) = follow(&path);
    becomes(&flags, FLAG, Some("5-percent")).await;
    let known = control.definitions();
    let whole = text("50-percent");
    // Looking is repeated at least once a second: after one and a half, every one of these has been looked at.
    let looked_at = Duration::from_millis(1_500);
    for broken in [&whole[..whole.len() / 2], "", "[]"] {
        fs::write(&path, broken).unwrap();
        stays(&control, &known, looked_at).await;
    }
    fs::remove_file(&path).unwrap();
    stays(&control, &known, looked_at).await;
    fs::write(&path, whole).unwrap();
    becomes(&flags, FLAG, Some("50-percent")).await;
}

#[tokio::test]
async fn a_file_that_comes_later_is_read_when_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("later").join("feast.flagd.json");
    let (_control, flags, _stop) = follow(&path);
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, text("5-percent")).unwrap();
    becomes(&flags, FLAG, Some("5-percent")).await;
}

/// Nothing may change for as long as `time`: seen at every look, not at the end only.
async fn stays(control: &FlagControl, known: &Arc<str>, time: Duration) {
    let end = tokio::time::Instant::now() + time;
    while tokio::time::Instant::now() < end {
        assert_eq!(&control.definitions(), known);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
