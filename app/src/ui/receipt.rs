//! Priced lines with their rules, fees, discounts and total, as on a paper ticket: whoever adds up what stands on it gets the total.

use contract::Money;
use contract::order::OrderLine;
use contract::pricing::Charge;
use leptos::prelude::*;

pub fn receipt(lines: Vec<OrderLine>, fees: Vec<Charge>, discounts: Vec<Charge>, total: Money) -> impl IntoView {
    let row = |name: String, amount: String| view! { <tr class="charge"><th scope="row" colspan="2">{name}</th><td>{amount}</td></tr> };
    let lines_only = fees.is_empty() && discounts.is_empty();
    let subtotal: Money = lines.iter().map(|line| line.item_total).sum();
    let subtotal = (!lines_only).then(|| row("Dishes together".to_owned(), subtotal.to_string()));
    view! {
        <table class="receipt">
            <caption class="sr-only">"What it costs"</caption>
            <thead class="sr-only">
                <tr><th scope="col">"Quantity"</th><th scope="col">"Dish"</th><th scope="col">"Price"</th></tr>
            </thead>
            <tbody>
                {lines.into_iter().map(line).collect_view()}
                {subtotal}
                {fees.into_iter().map(|fee| row(fee.name, fee.amount.to_string())).collect_view()}
                {discounts.into_iter().map(|off| row(off.name, format!("−{}", off.amount))).collect_view()}
            </tbody>
            <tfoot>
                <tr><th scope="row" colspan="2">"Total"</th><td>{total.to_string()}</td></tr>
            </tfoot>
        </table>
    }
}

fn line(line: OrderLine) -> impl IntoView {
    let full = line.base_price.times(line.quantity);
    let before = (full != line.item_total).then(|| view! { <s><span class="sr-only">"before "</span>{full.to_string()}</s>" " });
    view! {
        <tr>
            <td class="amount">{line.quantity}" ×"</td>
            <th scope="row">
                <span aria-hidden="true">{line.item_emoji}</span>" "{line.item_name}
                {line.choice.map(|choice| view! { <span class="rule">{choice}</span> })}
                {line.rules.into_iter().map(|rule| view! { <span class="rule">{rule}</span> }).collect_view()}
            </th>
            <td>{before}{line.item_total.to_string()}</td>
        </tr>
    }
}
