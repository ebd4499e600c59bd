//! Scripts as they are written: `flags/incidents/*.toml`, compiled in.

use crate::load;
use contract::flags::Audience;
use contract::incident as wire;
use contract::load::LoadWanted;
use serde::Deserialize;

/// A timeline of load and faults.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The file's name without its ending.
    #[serde(skip)]
    pub id: String,
    pub title: String,
    pub about: String,
    /// How long it plays; everything is cleared then.
    pub seconds: u64,
    pub seed: u64,
    /// What is told instead while the cause is to be guessed.
    pub quiz: Quiz,
    /// By their time.
    pub steps: Vec<Step>,
    pub choices: Vec<Choice>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiz {
    pub title: String,
    pub about: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Seconds from the beginning.
    pub at: u64,
    pub title: String,
    pub notes: String,
    #[serde(default)]
    pub load: Option<Wanted>,
    #[serde(default)]
    pub set: Vec<Set>,
    /// Flags that the script turned on before.
    #[serde(default)]
    pub clear: Vec<String>,
    /// Everything that the script turned on before.
    #[serde(default)]
    pub all_clear: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub users: u32,
    #[serde(default = "as_people_do")]
    pub pace: f64,
}

fn as_people_do() -> f64 {
    1.0
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    pub flag: String,
    pub variant: String,
    #[serde(default)]
    pub audience: Audience,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub id: String,
    pub text: String,
    /// It is right when one of these is on or was.
    pub flags: Vec<String>,
}

impl Wanted {
    pub fn with_seed(self, seed: u64) -> LoadWanted {
        LoadWanted { users: self.users, pace: self.pace, seed: Some(seed) }
    }
}

impl Step {
    /// What it does, in words.
    pub fn does(&self) -> Vec<String> {
        let all = self.all_clear.then(|| "all clear".to_owned());
        let cleared = self.clear.iter().map(|flag| format!("{flag}: cleared"));
        let set = self.set.iter().map(|set| match whom(&set.audience) {
            Some(whom) => format!("{}: {} for {whom}", set.flag, set.variant),
            None => format!("{}: {}", set.flag, set.variant),
        });
        let load = self.load.map(|load| load::words(&load.with_seed(0)));
        all.into_iter().chain(cleared).chain(set).chain(load).collect()
    }
}

fn whom(audience: &Audience) -> Option<String> {
    match audience {
        Audience::Everyone => None,
        Audience::Synthetic => Some("synthetic users".to_owned()),
        Audience::Session(_) => Some("one browser".to_owned()),
        Audience::Restaurant(name) | Audience::City(name) => Some(name.clone()),
        Audience::Percent(share) => Some(format!("{share} %")),
    }
}

impl Script {
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn parse(id: &str, text: &str) -> Result<Self, String> {
        let script: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let script = Self { id: id.to_owned(), ..script };
        script.check()?;
        Ok(script)
    }

    fn check(&self) -> Result<(), String> {
        let times: Vec<u64> = self.steps.iter().map(|step| step.at).collect();
        if times.is_empty() || !times.is_sorted_by(|a, b| a < b) {
            return Err("steps must come one after the other".to_owned());
        }
        if times.iter().any(|at| *at >= self.seconds) {
            return Err(format!("a step comes after the end at {} s", self.seconds));
        }
        for step in &self.steps {
            if let Some(load) = step.load {
                load::check(&load.with_seed(0)).map_err(|why| format!("at {} s: {why}", step.at))?;
            }
        }
        Ok(())
    }

    /// As operators see it.
    pub fn told(&self) -> wire::Script {
        let steps = self.steps.iter().map(|step| wire::Step {
            at_seconds: step.at,
            title: step.title.clone(),
            notes: step.notes.trim().to_owned(),
            does: step.does(),
        });
        wire::Script {
            id: self.id.clone(),
            title: self.title.clone(),
            about: self.about.clone(),
            seconds: self.seconds,
            seed: self.seed,
            steps: steps.collect(),
            choices: self.choices(),
        }
    }

    /// As everybody may see it while the cause is to be guessed: no word that says it, and not its own id.
    pub fn hidden(&self) -> wire::Script {
        let steps = self.steps.iter().enumerate().map(|(at, step)| wire::Step {
            at_seconds: step.at,
            title: format!("Step {}", at + 1),
            notes: String::new(),
            does: Vec::new(),
        });
        wire::Script {
            id: HIDDEN_ID.to_owned(),
            title: self.quiz.title.clone(),
            about: self.quiz.about.clone(),
            seconds: self.seconds,
            seed: self.seed,
            steps: steps.collect(),
            choices: self.choices(),
        }
    }

    fn choices(&self) -> Vec<wire::Choice> {
        self.choices.iter().map(|choice| wire::Choice { id: choice.id.clone(), text: choice.text.clone() }).collect()
    }
}

/// The script of a quiz that is not answered yet.
pub const HIDDEN_ID: &str = "quiz";

const BUILT_IN: [(&str, &str); 9] = [
    ("lunch-rush", include_str!("../../../flags/incidents/lunch-rush.toml")),
    ("payment-brown-out", include_str!("../../../flags/incidents/payment-brown-out.toml")),
    ("bad-release", include_str!("../../../flags/incidents/bad-release.toml")),
    ("cache-stampede", include_str!("../../../flags/incidents/cache-stampede.toml")),
    ("retry-storm", include_str!("../../../flags/incidents/retry-storm.toml")),
    ("lost-replies", include_str!("../../../flags/incidents/lost-replies.toml")),
    ("regional-slowdown", include_str!("../../../flags/incidents/regional-slowdown.toml")),
    ("stock-out", include_str!("../../../flags/incidents/stock-out.toml")),
    ("noisy-neighbour", include_str!("../../../flags/incidents/noisy-neighbour.toml")),
];

/// All scripts, in the order of a talk. One that cannot be read is left out and logged; a test keeps that from happening.
pub fn built_in() -> Vec<Script> {
    let parsed = BUILT_IN.iter().map(|(id, text)| (id, Script::parse(id, text)));
    let mut scripts = Vec::with_capacity(BUILT_IN.len());
    for (id, script) in parsed {
        match script {
            Ok(script) => scripts.push(script),
            Err(error) => tracing::error!(script = id, error, "The script {id} cannot be read: {error}"),
        }
    }
    scripts
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn scripts() -> Vec<Script> {
        BUILT_IN.iter().map(|(id, text)| Script::parse(id, text).unwrap_or_else(|error| panic!("{id}: {error}"))).collect()
    }

    #[test]
    fn every_file_of_the_folder_is_a_script() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../flags/incidents");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let ids: BTreeSet<String> = files.filter_map(|file| file.strip_suffix(".toml").map(str::to_owned)).collect();
        assert_eq!(ids, BUILT_IN.iter().map(|(id, _)| (*id).to_owned()).collect());
        assert_eq!(scripts().len(), BUILT_IN.len());
    }

    #[tokio::test]
    async fn every_flag_and_variant_that_a_script_names_exists() {
        let (platform, _) = testkit::platform();
        let flags = platform.flag_control();
        let mut wrong = Vec::new();
        for script in scripts() {
            for step in &script.steps {
                for set in &step.set {
                    match flags.get(&set.flag) {
                        Ok(flag) if flag.variants.iter().any(|variant| variant.name == set.variant) => {}
                        Ok(_) => wrong.push(format!("{}: {} has no variant {}", script.id, set.flag, set.variant)),
                        Err(_) => wrong.push(format!("{}: there is no flag {}", script.id, set.flag)),
                    }
                }
            }
            let named = script.choices.iter().flat_map(|choice| &choice.flags);
            wrong.extend(named.filter(|flag| flags.get(flag).is_err()).map(|flag| format!("{}: there is no flag {flag}", script.id)));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_script_fits_a_talk_and_every_step_has_something_to_say() {
        for script in scripts() {
            let id = &script.id;
            assert!((60..=180).contains(&script.seconds), "{id} takes {} s", script.seconds);
            assert!(script.steps.len() >= 3 && script.steps[0].at == 0, "{id} begins at once, and something happens");
            assert!(script.steps[0].load.is_some(), "{id} needs somebody who orders");
            for step in &script.steps {
                assert!(step.notes.split_whitespace().count() >= 25, "{id} at {} s: there is little to read", step.at);
                assert!(!step.does().is_empty() || step.at > 0, "{id} at {} s", step.at);
            }
        }
    }

    #[test]
    fn a_script_clears_only_what_it_set_and_leaves_nothing_on_for_its_last_words() {
        for script in scripts() {
            let mut on = BTreeSet::new();
            for step in &script.steps {
                for flag in &step.clear {
                    assert!(on.remove(flag), "{} clears {flag}, which it did not set", script.id);
                }
                if step.all_clear {
                    on.clear();
                }
                on.extend(step.set.iter().map(|set| set.flag.clone()));
            }
            assert!(on.is_empty(), "{}: the last step talks while {on:?} is on", script.id);
        }
    }

    #[test]
    fn exactly_one_choice_is_right_and_no_two_are_the_same() {
        for script in scripts() {
            let faults: BTreeSet<&String> = script.steps.iter().flat_map(|step| step.set.iter().map(|set| &set.flag)).collect();
            let right: Vec<&str> = script
                .choices
                .iter()
                .filter(|choice| choice.flags.iter().any(|flag| faults.contains(flag)))
                .map(|choice| choice.id.as_str())
                .collect();
            assert_eq!(right.len(), 1, "{}: {right:?}", script.id);
            let ids: BTreeSet<&str> = script.choices.iter().map(|choice| choice.id.as_str()).collect();
            assert!(ids.len() == script.choices.len() && ids.len() >= 4, "{}", script.id);
        }
    }

    #[test]
    fn what_is_shown_during_a_quiz_does_not_tell_the_cause() {
        for script in scripts() {
            let shown = serde_json::to_string(&wire::Script { choices: Vec::new(), ..script.hidden() }).unwrap();
            for set in script.steps.iter().flat_map(|step| &step.set) {
                assert!(!shown.contains(&set.flag), "{}: {shown}", script.id);
            }
            assert!(!shown.contains(&script.id) && !shown.contains(&script.title), "{shown}");
        }
    }

    #[test]
    fn nonsense_is_refused_in_a_sentence() {
        let good = BUILT_IN[0].1;
        let first = good.lines().find(|line| line.starts_with("seconds")).unwrap();
        for (from, to) in [(first, "seconds = 1"), (first, "seconds = \"long\""), (first, "seconds = 120\nminutes = 2")] {
            assert!(Script::parse("x", &good.replacen(from, to, 1)).is_err(), "{to}");
        }
    }
}
