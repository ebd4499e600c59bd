//! What a flag does to a process as a whole.

use super::*;
use runtime::chaos::{burning, follow};
use testkit::{eventually, platform};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burner_leaves_a_core_alone_and_goes_out_with_its_flag() {
    let (platform, _) = platform();
    follow(&platform, "order");
    follow(&platform, "menu");
    let control = platform.flag_control();
    let spare = u32::try_from(std::thread::available_parallelism().unwrap().get() - 1).unwrap().max(1);
    for (variant, threads) in [("100-percent-of-a-core", 1), ("order-all-cores-but-one", spare), ("50-percent-of-a-core", 1)] {
        flip(control, "cpu-burn", variant);
        eventually("so many threads burn", DEADLINE, async || burning() == threads).await;
    }
    control.clear_all().unwrap();
    eventually("nothing burns", DEADLINE, async || burning() == 0).await;
    flip(control, "cpu-burn", "100-percent-of-a-core");
    eventually("it burns", DEADLINE, async || burning() == 1).await;
    assert!(platform.finish(DEADLINE).await);
    eventually("a process that stops burns nothing", DEADLINE, async || burning() == 0).await;
}
