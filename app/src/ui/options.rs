//! The choices of a dish as form fields.
//!
//! Every field's name begins with `choice`, and they stand in the order of the options: [`crate::extract::Fields::choice`] joins what was
//! chosen. Whoever chooses nothing gets the first of each.

use contract::menu::ItemOption;
use leptos::prelude::*;

/// Folded away, for a menu: most people take a dish as it comes.
pub fn folded(options: &[ItemOption]) -> Option<impl IntoView + use<>> {
    if options.is_empty() {
        return None;
    }
    let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
    let selects = options
        .iter()
        .map(|option| {
            let choices = option.choices.iter().map(|choice| view! { <option>{choice.clone()}</option> }).collect_view();
            view! { <label><span>{option.name.clone()}</span><select name="choice">{choices}</select></label> }
        })
        .collect_view();
    Some(view! { <details class="choices"><summary>{names.join(", ")}</summary>{selects}</details> })
}

/// All in view, for a dish's own page.
pub fn open(options: &[ItemOption]) -> impl IntoView + use<> {
    options
        .iter()
        .enumerate()
        .map(|(n, option)| {
            let choices = option
                .choices
                .iter()
                .enumerate()
                .map(|(at, choice)| {
                    let value = choice.clone();
                    view! {
                        <label class="pill"><input type="radio" name=format!("choice{n}") value=value checked={at == 0}/><span>{choice.clone()}</span></label>
                    }
                })
                .collect_view();
            view! { <fieldset class="option"><legend>{option.name.clone()}</legend><div class="pills">{choices}</div></fieldset> }
        })
        .collect_view()
}
