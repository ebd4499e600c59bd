//! `/console/pricing`: what the two pricing algorithms earn.

use super::{Place, frame, grouped, wide};
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::shop::Shop;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::pricing::VariantRevenue;
use leptos::either::Either;
use leptos::prelude::*;
use std::sync::Arc;

/// With fewer orders on a side, a difference says little.
const ENOUGH_ORDERS: u64 = 30;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(shop): Extension<Shop>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match shop.middleware.pricing_variants().await {
        Ok(variants) => page(&visit, Meta::new("Pricing", "What the pricing algorithms earn."), || body(variants)),
        Err(error) => error_page(&error, &visit),
    }
}

fn body(variants: Vec<VariantRevenue>) -> impl IntoView {
    let told = compare(&variants);
    let most = variants.iter().map(|variant| variant.revenue_per_order.cents()).max().unwrap_or(0).max(1);
    let rows: Vec<_> = variants.into_iter().map(|variant| row(variant, most)).collect();
    let table = if rows.is_empty() {
        Either::Left(view! { <p class="nothing">"No paid orders yet."</p> })
    } else {
        Either::Right(wide(
            "Revenue by algorithm",
            view! {
                <table class="numbers-table">
                    <thead><tr><th scope="col">"Algorithm"</th><th scope="col">"Paid orders"</th><th scope="col">"Revenue"</th><th scope="col">"Revenue per order"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            },
        ))
    };
    let lead = view! { "Version 1 goes by the time of day and the amount; version 2 also by demand, weather and popularity. The flag "<a href="/console/flags#pricing-v2"><code>"pricing-v2"</code></a>" says who gets which." };
    frame(Place::Pricing, lead, view! { <p class="verdict-plain" role="status"><strong>{told}</strong></p> {table} })
}

fn row(variant: VariantRevenue, most: i64) -> impl IntoView {
    // A progress bar needs no style attribute.
    let share = variant.revenue_per_order.cents();
    let per_order = variant.revenue_per_order.to_string();
    let orders = i64::try_from(variant.orders).unwrap_or(i64::MAX);
    view! {
        <tr>
            <th scope="row">{variant.variant}</th>
            <td>{grouped(orders)}</td>
            <td>{variant.revenue.to_string()}</td>
            <td><strong>{per_order.clone()}</strong>" "<meter min="0" max=most value=share aria-label="Revenue per order">{per_order}</meter></td>
        </tr>
    }
}

/// The difference in a sentence, with a warning while there are few orders.
fn compare(variants: &[VariantRevenue]) -> String {
    let of = |name: &str| variants.iter().find(|variant| variant.variant == name).filter(|variant| variant.orders > 0);
    let (Some(v1), Some(v2)) = (of("v1"), of("v2")) else {
        return "Nothing to compare yet: both algorithms need paid orders.".to_owned();
    };
    let (one, two) = (v1.revenue_per_order.cents(), v2.revenue_per_order.cents());
    // In tenths of a percent, so that the arithmetic is exact.
    let tenths = (two - one).abs() * 1_000 / one.max(1);
    let share = format!("{}.{} %", tenths / 10, tenths % 10);
    let told = match two.cmp(&one) {
        std::cmp::Ordering::Greater => format!("Version 2 earns {share} more per order than version 1."),
        std::cmp::Ordering::Less => format!("Version 2 earns {share} less per order than version 1."),
        std::cmp::Ordering::Equal => "Both earn the same per order.".to_owned(),
    };
    if v1.orders.min(v2.orders) < ENOUGH_ORDERS { format!("{told} There are few orders still: do not rely on it.") } else { told }
}

#[cfg(test)]
mod tests {
    use super::compare;
    use contract::Money;
    use contract::pricing::VariantRevenue;

    #[test]
    fn the_difference_is_told_with_its_sign_and_a_warning() {
        let variant = |name: &str, orders, cents| VariantRevenue {
            variant: name.into(),
            orders,
            revenue: Money::ZERO,
            revenue_per_order: Money::from_cents(cents),
        };
        assert_eq!(
            compare(&[variant("v1", 100, 1_000), variant("v2", 100, 1_105)]),
            "Version 2 earns 10.5 % more per order than version 1."
        );
        assert!(compare(&[variant("v1", 100, 1_000), variant("v2", 3, 900)]).ends_with("do not rely on it."));
        assert!(compare(&[variant("v1", 100, 1_000)]).starts_with("Nothing to compare"));
    }
}
