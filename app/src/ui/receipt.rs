//! Priced lines with their rules, fees, discounts and total, as on a paper ticket.

use contract::Money;
use contract::order::OrderLine;
use contract::pricing::Charge;
use leptos::prelude::*;

pub fn receipt(lines: Vec<OrderLine>, fees: Vec<Charge>, discounts: Vec<Charge>, total: Money) -> impl IntoView {
    let row = |name: String, amount: String| view! { <tr class="charge"><th scope="row" colspan="2">{name}</th><td>{amount}</td></tr> };
    view! {
        <table class="receipt">
            <caption class="sr-only">"What it costs"</caption>
            <thead class="sr-only">
                <tr><th scope="col">"Quantity"</th><th scope="col">"Dish"</th><th scope="col">"Price"</th></tr>
            </thead>
            <tbody>
                {lines.into_iter().map(line).collect_view()}
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
                {line.rules.into_iter().map(|rule| view! { <span class="rule">{rule}</span> }).collect_view()}
            </th>
            <td>{before}{line.item_total.to_string()}</td>
        </tr>
    }
}
