//! Reads the part of Gherkin that the testbed's features use: backgrounds, scenarios, outlines with examples, tags, tables under steps.
//!
//! Small enough that a parser of the whole language would weigh more than all tests that need it.

use std::collections::BTreeSet;

/// One scenario, or one row of an outline's examples with its values in place.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    /// Of the feature, the scenario and the examples, without the `@`.
    pub tags: BTreeSet<String>,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Without its keyword.
    pub text: String,
    /// The table below it, header included.
    pub table: Vec<Vec<String>>,
}

#[derive(Default)]
struct Draft {
    name: String,
    tags: BTreeSet<String>,
    steps: Vec<Step>,
    outline: bool,
    examples: Vec<Examples>,
}

#[derive(Default)]
struct Examples {
    tags: BTreeSet<String>,
    rows: Vec<Vec<String>>,
}

enum Within {
    Feature,
    Background,
    Scenario,
    Examples,
}

/// Every scenario of a feature file, outlines written out.
///
/// # Panics
/// On a line that is none of what is known here: nothing may be passed over in silence.
pub fn scenarios(feature: &str) -> Vec<Scenario> {
    let (mut of_feature, mut tags) = (BTreeSet::new(), BTreeSet::new());
    let (mut background, mut drafts): (Vec<Step>, Vec<Draft>) = (Vec::new(), Vec::new());
    let mut within = Within::Feature;
    for line in feature.lines().map(str::trim) {
        let draft = drafts.last_mut();
        if line.is_empty() || line.starts_with('#') {
        } else if line.starts_with('@') {
            tags.extend(line.split_whitespace().map(|tag| tag.trim_start_matches('@').to_owned()));
        } else if line.starts_with("Feature:") {
            of_feature = std::mem::take(&mut tags);
        } else if line.starts_with("Background:") {
            within = Within::Background;
        } else if let Some((kind, name)) = line.split_once(':').filter(|(kind, _)| matches!(*kind, "Scenario" | "Scenario Outline")) {
            let tags = of_feature.iter().cloned().chain(std::mem::take(&mut tags)).collect();
            drafts.push(Draft { name: name.trim().to_owned(), tags, outline: kind != "Scenario", ..Draft::default() });
            within = Within::Scenario;
        } else if line.starts_with("Examples:") {
            draft.unwrap().examples.push(Examples { tags: std::mem::take(&mut tags), rows: Vec::new() });
            within = Within::Examples;
        } else if line.starts_with('|') {
            let row = cells(line);
            match within {
                Within::Examples => draft.unwrap().examples.last_mut().unwrap().rows.push(row),
                Within::Scenario => draft.unwrap().steps.last_mut().unwrap().table.push(row),
                Within::Feature | Within::Background => panic!("a table belongs to nothing: {line}"),
            }
        } else if let Some(("Given" | "When" | "Then" | "And" | "But", text)) = line.split_once(' ') {
            let step = Step { text: text.trim().to_owned(), table: Vec::new() };
            match within {
                Within::Background => background.push(step),
                Within::Scenario => draft.unwrap().steps.push(step),
                Within::Feature | Within::Examples => panic!("a step belongs to nothing: {line}"),
            }
        } else {
            panic!("this line is not understood: {line}");
        }
    }
    drafts.into_iter().flat_map(|draft| draft.written_out(&background)).collect()
}

impl Draft {
    fn written_out(self, background: &[Step]) -> Vec<Scenario> {
        let steps: Vec<Step> = background.iter().cloned().chain(self.steps).collect();
        if !self.outline {
            return vec![Scenario { name: self.name, tags: self.tags, steps }];
        }
        let mut scenarios = Vec::new();
        for examples in self.examples {
            let (header, rows) = examples.rows.split_first().unwrap();
            for row in rows {
                let filled = |text: &str| {
                    header.iter().zip(row).fold(text.to_owned(), |text, (name, value)| text.replace(&format!("<{name}>"), value))
                };
                scenarios.push(Scenario {
                    name: format!("{} ({})", self.name, row.join(", ")),
                    tags: self.tags.union(&examples.tags).cloned().collect(),
                    steps: steps.iter().map(|step| Step { text: filled(&step.text), table: step.table.clone() }).collect(),
                });
            }
        }
        scenarios
    }
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().replace("\\\"", "\"")).collect()
}

#[test]
fn an_outline_is_one_scenario_a_row_with_background_and_tags() {
    let text = "
        @all
        Feature: Doors
          Background:
            Given a house
          @some
          Scenario Outline: Opening
            When <who> opens \"<what>\"
            Then it contains
              | key |
              | a   |
            @early
            Examples: first
              | who | what |
              | Ada | door |
              | Bob |      |
          Scenario: Closed
            Then all is quiet";
    let read = scenarios(text);
    let names: Vec<&str> = read.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names, ["Opening (Ada, door)", "Opening (Bob, )", "Closed"]);
    let steps: Vec<&str> = read[1].steps.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(steps, ["a house", "Bob opens \"\"", "it contains"]);
    assert_eq!(read[0].steps[2].table, [["key"], ["a"]]);
    assert_eq!(read[0].tags.iter().map(String::as_str).collect::<Vec<_>>(), ["all", "early", "some"]);
    assert_eq!(read[2].tags.len(), 1);
}
