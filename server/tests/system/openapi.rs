//! The API's description against the running product: real answers are what it says they are.

use crate::harness::{Answer, LATTE, Platform, on_both_platforms, purchase};
use serde_json::{Value, json};

on_both_platforms! {
    what_ordering_answers_is_what_the_description_says,
    what_operators_are_answered_is_what_the_description_says,
    the_page_for_people_has_every_call,
}

/// The document, and what an answer must be by it.
struct Description(Value);

impl Description {
    async fn of(platform: &Platform) -> Self {
        let answer = platform.http.get("/api/openapi.json").send().await;
        assert_eq!(answer.header("content-type"), "application/json");
        let document = answer.expect(200);
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let known = platform.http.get("/api/openapi.json").header("if-none-match", answer.header("etag")).send().await;
        assert_eq!((known.status, known.body.as_str()), (304, ""));
        Self(document)
    }

    /// That the answer has a status and a body which the description has for this call; the body, for whoever goes on with it.
    #[track_caller]
    fn holds(&self, method: &str, path: &str, answer: &Answer) -> Value {
        let answers = &self.0["paths"][path][method.to_lowercase()]["responses"];
        let mut described = &answers[answer.status.to_string()];
        if let Some(to) = described["$ref"].as_str() {
            described = self.0.pointer(to.trim_start_matches('#')).unwrap();
        }
        assert!(described.is_object(), "{method} {path} answered {}, which is not described: {}", answer.status, answer.body);
        let body = answer.json();
        let schema = &described["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path} {}: no body is described, and there is one", answer.status);
        let mut wrong = Vec::new();
        self.check(schema, &body, "", &mut wrong);
        assert!(wrong.is_empty(), "{method} {path} {}: {wrong:#?}\n{body:#}", answer.status);
        if answer.status >= 400 {
            let code = format!("`{}`", body["code"].as_str().unwrap());
            assert!(
                described["description"].as_str().unwrap().contains(&code),
                "{method} {path} {}: {code} is not described",
                answer.status
            );
        }
        body
    }

    /// As much of JSON Schema as the document uses. A field that no schema knows is wrong, too: somebody forgot to describe it.
    fn check(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        if let Some(to) = schema["$ref"].as_str() {
            return self.check(self.0.pointer(to.trim_start_matches('#')).expect(to), value, at, wrong);
        }
        if let Some(choices) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
            let fits = |choice: &&Value| self.wrong_with(choice, value, at).is_empty();
            if !choices.iter().any(|choice| fits(&choice)) {
                let why: Vec<_> = choices.iter().map(|choice| self.wrong_with(choice, value, at)).collect();
                wrong.push(format!("{at}: nothing of {why:?}"));
            }
            return;
        }
        if let Some(kinds) = schema.get("type") {
            let kinds: Vec<&str> = kinds
                .as_array()
                .map_or_else(|| kinds.as_str().into_iter().collect(), |several| several.iter().filter_map(Value::as_str).collect());
            if !kinds.iter().any(|kind| is_a(value, kind)) {
                wrong.push(format!("{at}: {value} is not a {kinds:?}"));
                return;
            }
        }
        if let Some(values) = schema["enum"].as_array()
            && !values.contains(value)
        {
            wrong.push(format!("{at}: {value} is none of {values:?}"));
        }
        if let Some(items) = value.as_array() {
            for (n, item) in items.iter().enumerate() {
                let schema = schema.pointer(&format!("/prefixItems/{n}")).or_else(|| schema.get("items").filter(|items| items.is_object()));
                if let Some(schema) = schema {
                    self.check(schema, item, &format!("{at}[{n}]"), wrong);
                }
            }
        }
        if let Some(fields) = value.as_object() {
            self.check_fields(schema, fields, at, wrong);
        }
    }

    fn check_fields(&self, schema: &Value, fields: &serde_json::Map<String, Value>, at: &str, wrong: &mut Vec<String>) {
        let (mut known, mut required) = (serde_json::Map::new(), Vec::new());
        self.gather(schema, &mut known, &mut required);
        wrong.extend(required.iter().filter(|name| !fields.contains_key(*name)).map(|name| format!("{at}.{name} is missing")));
        // Described as "some object" only.
        let free = known.is_empty();
        for (name, value) in fields {
            let of = known.get(name).or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()));
            match of {
                Some(schema) => self.check(schema, value, &format!("{at}.{name}"), wrong),
                None if free => {}
                None => wrong.push(format!("{at}.{name} is not described")),
            }
        }
    }

    /// The fields of an object, and of all the parts of one.
    fn gather(&self, schema: &Value, known: &mut serde_json::Map<String, Value>, required: &mut Vec<String>) {
        if let Some(to) = schema["$ref"].as_str() {
            return self.gather(self.0.pointer(to.trim_start_matches('#')).expect(to), known, required);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.gather(part, known, required);
        }
        known.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, of)| (name.clone(), of.clone())));
        required.extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }

    fn wrong_with(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        self.check(schema, value, at, &mut wrong);
        wrong
    }
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => value.is_null(),
    }
}

async fn what_ordering_answers_is_what_the_description_says(platform: &Platform) {
    let (told, http) = (Description::of(platform).await, &platform.http);
    let menu = told.holds("GET", "/api/menu", &http.get("/api/menu").send().await);
    assert!(menu.as_array().is_some_and(|menu| !menu.is_empty()));
    told.holds("GET", "/api/menu/{id}", &http.get(&format!("/api/menu/{LATTE}")).send().await);
    told.holds("GET", "/api/menu/{id}", &http.get("/api/menu/none").send().await);
    told.holds("GET", "/api/restaurants", &http.get("/api/restaurants").send().await);
    told.holds("GET", "/api/restaurants", &http.get("/api/restaurants?open=perhaps").send().await);
    told.holds("GET", "/api/restaurants/{id}/recommendations", &http.get("/api/restaurants/cosmic-coffee/recommendations").send().await);

    let browser = platform.browser();
    let cart = told.holds("POST", "/api/cart", &browser.send(browser.ask("POST", "/api/cart")).await);
    let (id, items) = (cart["id"].as_str().unwrap(), "/api/cart/{id}/items");
    let add = async |body: Value| browser.post(&format!("/api/cart/{id}/items"), body).await;
    told.holds("POST", "/api/quotes", &browser.post("/api/quotes", json!({"cartId": id})).await);
    told.holds("POST", items, &add(json!({"itemId": LATTE, "quantity": 2, "basePrice": 0.01})).await);
    for (body, status) in [
        (json!({"itemId": LATTE, "quantity": 0}), 400),
        (json!({"itemId": LATTE}), 400),
        (json!({"itemId": "none", "quantity": 1}), 404),
        (json!({"itemId": LATTE, "quantity": 9}), 409),
    ] {
        let answer = add(body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
        told.holds("POST", items, &answer);
    }
    told.holds("POST", items, &browser.send(browser.ask("POST", &format!("/api/cart/{id}/items")).body("itemId=x")).await);
    told.holds("GET", "/api/cart/{id}", &browser.get(&format!("/api/cart/{id}")).await);
    told.holds("GET", "/api/cart/{id}", &browser.get("/api/cart/none").await);
    let quote = told.holds("POST", "/api/quotes", &browser.post("/api/quotes", json!({"cartId": id, "address": "Moon Street 1"})).await);

    let body = json!({"customerName": "Ada", "cartId": id, "quoteId": quote["quoteId"], "address": "Moon Street 1"});
    let place = async |body: &Value, key: &str| browser.send(browser.ask("POST", "/api/orders").json(body).key(key)).await;
    let placed = place(&body, "one").await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let order = told.holds("POST", "/api/orders", &placed);
    for (body, key, status) in [
        (purchase("none"), "two", 404),
        (json!({"customerName": "", "cartId": id}), "three", 400),
        (purchase(id), "one", 422),
        (body, "four", 409),
    ] {
        let answer = place(&body, key).await;
        assert_eq!(answer.status, status, "{key}: {}", answer.body);
        told.holds("POST", "/api/orders", &answer);
    }
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
    told.holds("GET", "/api/orders/{id}", &browser.get(&path).await);
    // A stranger sees less of it, and that is described, too.
    told.holds("GET", "/api/orders/{id}", &http.get(&path).send().await);
    told.holds("GET", "/api/orders/{id}", &http.get("/api/orders/none").send().await);
    told.holds("GET", "/api/orders", &browser.get("/api/orders").await);
    told.holds("GET", "/api/customers", &browser.get("/api/customers").await);
    told.holds("PATCH", "/api/orders/{id}", &http.patch(&path, json!({"status": "accepted"})).send().await);
    told.holds("PATCH", "/api/orders/{id}", &http.patch(&path, json!({"status": "delivered"})).operator().send().await);
}

async fn what_operators_are_answered_is_what_the_description_says(platform: &Platform) {
    let (told, http) = (Description::of(platform).await, &platform.http);
    let cart = platform.cart_with(&[(LATTE, 1)]).await;
    platform.order(&cart).send().await.expect(201);
    for path in [
        "/api/flags",
        "/api/inventory",
        "/api/ledger",
        "/api/events",
        "/api/load",
        "/api/proofs",
        "/api/detection",
        "/api/audit",
        "/api/policies",
        "/api/incidents",
        "/api/overview",
        "/api/traces",
        "/api/logs",
        "/api/topology",
    ] {
        told.holds("GET", path, &http.get(path).operator().send().await);
        told.holds("GET", path, &http.get(path).send().await);
    }
    let flag = "/api/flags/{key}";
    told.holds("PUT", flag, &http.put("/api/flags/cart-slow", json!({"variant": "300-ms"})).operator().send().await);
    told.holds("PUT", flag, &http.put("/api/flags/none", json!({"variant": "on"})).operator().send().await);
    told.holds("DELETE", flag, &http.delete("/api/flags/cart-slow").operator().send().await);
    let one = "/ofrep/v1/evaluate/flags/{key}";
    told.holds("POST", one, &http.post("/ofrep/v1/evaluate/flags/cart-slow", json!({"context": {"targetingKey": "4711"}})).send().await);
    told.holds("POST", "/ofrep/v1/evaluate/flags", &http.post("/ofrep/v1/evaluate/flags", json!({})).send().await);
    told.holds("GET", "/ready", &http.get("/ready").send().await);
}

async fn the_page_for_people_has_every_call(platform: &Platform) {
    let (told, answer) = (Description::of(platform).await, platform.http.get("/api/docs").header("accept", "text/html").send().await);
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
    let page = &answer.body;
    let paths = told.0["paths"].as_object().unwrap();
    for operation in paths.values().flat_map(|item| item.as_object().unwrap().values()) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(page.contains(&format!("id=\"{id}\"")) && page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    // Whatever the page leads to is on it.
    for to in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{to}\"")), "nothing is at #{to}");
    }
}
