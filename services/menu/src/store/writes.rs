//! Every change to the menus, by group commit.

use super::rows::{self, item_columns, restaurant_columns, to_json};
use super::{Author, Change, Outcome, Written};
use crate::domain::edit::{MAX_ITEMS, item_ids};
use async_trait::async_trait;
use contract::menu::{ChangeItem, ChangeRestaurant, MenuItem, RestaurantMenu, WriteItem};
use contract::{ItemId, RestaurantId};
use runtime::args;
use runtime::store::sql::{Apply, Connection};
use serde_json::Value;

pub struct Job {
    pub change: Change,
    pub author: Author,
}

pub struct MenuWrites;

#[async_trait]
impl Apply for MenuWrites {
    type Job = Job;
    type Done = Written;

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Job]) -> Result<Vec<Written>, sqlx::Error> {
        // First of all: from here on no other replica writes, and the order of versions is the order of changes.
        transaction.one("UPDATE menu_version SET version = version RETURNING version", args![]).await?;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let (outcome, what) = change(transaction, &job.change).await?;
            if let Some(what) = what {
                let author = &job.author;
                let audit = "INSERT INTO menu_audit (at_ms, who, role, what) VALUES ($1, $2, $3, $4)";
                transaction.run(audit, args![author.at, &author.who, author.role, what]).await?;
            }
            outcomes.push(outcome);
        }
        // Last: who reads a database in memory sees it before the commit, and must not take older menus for this version. It is the time, if it can
        // be: then copies of another database, that was here before this one, are older.
        let at = jobs.iter().map(|job| job.author.at).max().unwrap_or_default();
        let next = "UPDATE menu_version SET version = CASE WHEN version < $1 THEN $1 ELSE version + 1 END RETURNING version";
        let version = transaction.one(next, args![at]).await?.int(0)?;
        Ok(outcomes.into_iter().map(|outcome| Written { version, outcome }).collect())
    }
}

/// Everything but version and audit; whoever refers to others goes before them.
const ALL: [&str; 8] = ["items", "restaurants", "tickets", "ticket_days", "ticket_hours", "item_hours", "item_pairs", "event_parked"];

/// What became of it, and what the audit says; nothing when nothing was changed.
async fn change(transaction: &mut Connection<'_>, change: &Change) -> Result<(Outcome, Option<String>), sqlx::Error> {
    match change {
        Change::Seed(menus) => {
            if transaction.one("SELECT COUNT(*) FROM restaurants", args![]).await?.int(0)? == 0 {
                insert_all(transaction, menus).await?;
            }
            Ok((Outcome::Done, None))
        }
        Change::Reset(menus) => {
            transaction.clear(&ALL).await?;
            transaction.run("UPDATE menu_totals SET value = 0", args![]).await?;
            insert_all(transaction, menus).await?;
            Ok((Outcome::Done, Some("reset menus and tickets".to_owned())))
        }
        Change::Restaurant(id, change) => restaurant(transaction, id, change).await,
        Change::AddItem(id, item) => add_item(transaction, id, item).await,
        Change::ReplaceItem(id, item, write) => replace_item(transaction, id, item, write).await,
        Change::ChangeItem(id, item, change) => change_item(transaction, id, item, change).await,
        Change::DeleteItem(id, item) => {
            let delete = "DELETE FROM items WHERE id = $1 AND restaurant_id = $2";
            if transaction.run(delete, args![item.as_str(), id.as_str()]).await? == 0 {
                return Ok((missing(transaction, id).await?, None));
            }
            Ok((Outcome::Done, Some(format!("delete {item} of {id}"))))
        }
    }
}

async fn insert_all(transaction: &mut Connection<'_>, menus: &[RestaurantMenu]) -> Result<(), sqlx::Error> {
    let restaurants: Vec<Value> = menus.iter().enumerate().map(|(place, menu)| rows::row_of_restaurant(place, &menu.restaurant)).collect();
    let insert = "INSERT INTO restaurants (id, place, name, tagline, description, emoji, cuisine, city, time_zone, hue_1, hue_2, x, y, \
        opens, closes, paused) \
        SELECT value ->> 'id', CAST(value ->> 'place' AS BIGINT), value ->> 'name', value ->> 'tagline', value ->> 'description', \
        value ->> 'emoji', value ->> 'cuisine', value ->> 'city', value ->> 'zone', CAST(value ->> 'hue1' AS BIGINT), \
        CAST(value ->> 'hue2' AS BIGINT), CAST(value ->> 'x' AS BIGINT), CAST(value ->> 'y' AS BIGINT), \
        CAST(value ->> 'opens' AS BIGINT), CAST(value ->> 'closes' AS BIGINT), CAST(value ->> 'paused' AS BIGINT) FROM rows_of($1)";
    transaction.run(insert, args![to_json(&restaurants)?]).await?;
    let items = menus.iter().flat_map(|menu| menu.items.iter().enumerate());
    let items = items.map(|(place, item)| rows::row_of_item(place, item)).collect::<Result<Vec<_>, _>>()?;
    insert_items(transaction, &items).await.map(drop)
}

/// Answers how many were inserted: those whose id was free.
async fn insert_items(transaction: &mut Connection<'_>, items: &[Value]) -> Result<u64, sqlx::Error> {
    let insert = "INSERT INTO items (id, restaurant_id, place, name, description, emoji, cents, in_stock, category, tags, options) \
        SELECT value ->> 'id', value ->> 'restaurant', CAST(value ->> 'place' AS BIGINT), value ->> 'name', value ->> 'description', \
        value ->> 'emoji', CAST(value ->> 'cents' AS BIGINT), CAST(value ->> 'inStock' AS BIGINT), value ->> 'category', \
        value ->> 'tags', value ->> 'options' FROM rows_of($1) WHERE true ON CONFLICT (id) DO NOTHING";
    transaction.run(insert, args![to_json(items)?]).await
}

/// Why a change of an item met none.
async fn missing(transaction: &mut Connection<'_>, id: &RestaurantId) -> Result<Outcome, sqlx::Error> {
    let known = transaction.optional("SELECT 1 FROM restaurants WHERE id = $1", args![id.as_str()]).await?;
    Ok(if known.is_some() { Outcome::NoItem } else { Outcome::NoRestaurant })
}

async fn restaurant(
    transaction: &mut Connection<'_>,
    id: &RestaurantId,
    change: &ChangeRestaurant,
) -> Result<(Outcome, Option<String>), sqlx::Error> {
    let update = concat!(
        "UPDATE restaurants SET name = COALESCE($2, name), tagline = COALESCE($3, tagline), description = COALESCE($4, description), \
         opens = COALESCE($5, opens), closes = COALESCE($6, closes), paused = COALESCE($7, paused) WHERE id = $1 RETURNING ",
        restaurant_columns!()
    );
    let hours = |minute: fn(&contract::menu::Hours) -> u16| change.hours.as_ref().map(|hours| u32::from(minute(hours)));
    let args = args![
        id.as_str(),
        change.name.clone(),
        change.tagline.clone(),
        change.description.clone(),
        hours(|hours| hours.opens),
        hours(|hours| hours.closes),
        change.paused,
    ];
    let Some(row) = transaction.optional(update, args).await? else { return Ok((Outcome::NoRestaurant, None)) };
    let mut restaurant = rows::restaurant(&row)?;
    restaurant.item_count = u32::try_from(count_items(transaction, id).await?).unwrap_or(u32::MAX);
    let fields = [
        ("name", change.name.is_some()),
        ("tagline", change.tagline.is_some()),
        ("description", change.description.is_some()),
        ("hours", change.hours.is_some()),
        (if change.paused == Some(true) { "pause" } else { "no pause" }, change.paused.is_some()),
    ];
    let what = changed(id.as_str(), &fields);
    Ok((Outcome::Restaurant(Box::new(restaurant)), what))
}

/// What the audit says of these fields.
fn changed(of: &str, fields: &[(&str, bool)]) -> Option<String> {
    let named: Vec<&str> = fields.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    (!named.is_empty()).then(|| format!("change {of}: {}", named.join(", ")))
}

async fn count_items(transaction: &mut Connection<'_>, id: &RestaurantId) -> Result<usize, sqlx::Error> {
    let count = transaction.one("SELECT COUNT(*) FROM items WHERE restaurant_id = $1", args![id.as_str()]).await?.int(0)?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// The item of this restaurant that has the name already, besides `except`.
async fn namesake(transaction: &mut Connection<'_>, id: &RestaurantId, name: &str, except: &str) -> Result<Option<ItemId>, sqlx::Error> {
    let same = "SELECT id FROM items WHERE restaurant_id = $1 AND name = $2 AND id <> $3";
    let row = transaction.optional(same, args![id.as_str(), name, except]).await?;
    row.map(|row| row.text(0).map(ItemId::new)).transpose()
}

async fn add_item(
    transaction: &mut Connection<'_>,
    id: &RestaurantId,
    write: &WriteItem,
) -> Result<(Outcome, Option<String>), sqlx::Error> {
    if transaction.optional("SELECT 1 FROM restaurants WHERE id = $1", args![id.as_str()]).await?.is_none() {
        return Ok((Outcome::NoRestaurant, None));
    }
    if let Some(taken) = namesake(transaction, id, &write.name, "").await? {
        return Ok((Outcome::Exists(taken), None));
    }
    if count_items(transaction, id).await? >= MAX_ITEMS {
        return Ok((Outcome::Full, None));
    }
    let last = transaction.one("SELECT COALESCE(MAX(place), -1) FROM items WHERE restaurant_id = $1", args![id.as_str()]).await?.int(0)?;
    let place = usize::try_from(last + 1).unwrap_or(0);
    let [plain, own] = item_ids(&write.name, id);
    let taken = transaction.optional("SELECT restaurant_id FROM items WHERE id = $1", args![plain.as_str()]).await?;
    let item_id = match taken.map(|row| row.text(0)).transpose()? {
        // Another name that makes the same address.
        Some(owner) if owner == id.as_str() => return Ok((Outcome::Exists(plain), None)),
        Some(_) => own,
        None => plain,
    };
    let item = item(item_id, id, write);
    if insert_items(transaction, &[rows::row_of_item(place, &item)?]).await? == 0 {
        return Ok((Outcome::Exists(item.id), None));
    }
    let what = format!("add {} to {id}", item.id);
    Ok((Outcome::Item(Box::new(item)), Some(what)))
}

fn item(id: ItemId, restaurant: &RestaurantId, write: &WriteItem) -> MenuItem {
    let WriteItem { name, description, emoji, base_price, in_stock, category, tags, options } = write.clone();
    MenuItem { id, name, description, emoji, base_price, in_stock, restaurant_id: restaurant.clone(), category, tags, options }
}

async fn replace_item(
    transaction: &mut Connection<'_>,
    id: &RestaurantId,
    item: &ItemId,
    write: &WriteItem,
) -> Result<(Outcome, Option<String>), sqlx::Error> {
    if let Some(taken) = namesake(transaction, id, &write.name, item.as_str()).await? {
        return Ok((Outcome::Exists(taken), None));
    }
    let update = concat!(
        "UPDATE items SET name = $3, description = $4, emoji = $5, cents = $6, in_stock = $7, category = $8, tags = $9, options = $10 \
         WHERE id = $1 AND restaurant_id = $2 RETURNING ",
        item_columns!()
    );
    let args = args![
        item.as_str(),
        id.as_str(),
        &write.name,
        &write.description,
        &write.emoji,
        write.base_price,
        write.in_stock,
        &write.category,
        to_json(&write.tags)?,
        to_json(&write.options)?,
    ];
    let Some(row) = transaction.optional(update, args).await? else { return Ok((missing(transaction, id).await?, None)) };
    Ok((Outcome::Item(Box::new(rows::item(&row)?)), Some(format!("replace {item} of {id}"))))
}

async fn change_item(
    transaction: &mut Connection<'_>,
    id: &RestaurantId,
    item: &ItemId,
    change: &ChangeItem,
) -> Result<(Outcome, Option<String>), sqlx::Error> {
    let update = concat!(
        "UPDATE items SET cents = COALESCE($3, cents), in_stock = COALESCE($4, in_stock) WHERE id = $1 AND restaurant_id = $2 RETURNING ",
        item_columns!()
    );
    let args = args![item.as_str(), id.as_str(), change.base_price, change.in_stock];
    let Some(row) = transaction.optional(update, args).await? else { return Ok((missing(transaction, id).await?, None)) };
    let availability = if change.in_stock == Some(true) { "available" } else { "not available" };
    let fields = [("price", change.base_price.is_some()), (availability, change.in_stock.is_some())];
    Ok((Outcome::Item(Box::new(rows::item(&row)?)), changed(&format!("{item} of {id}"), &fields)))
}
