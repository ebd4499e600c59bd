//! The document as the page shows it.

use super::example::{self, Fields, name_of, resolve};
use super::{TAGS, operations, shell};
use crate::access::{self, Found, Rule};
use app::handbook::{Answer, Body, Call, Field, Group, Handbook, Kind, Named, Parameter, Shape};
use contract::Code;
use utoipa::openapi::content::Content;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Components, SchemaType, Type};
use utoipa::openapi::{KnownFormat, Object, OpenApi, RefOr, Required, Response, Schema, SchemaFormat};

/// Media types whose bodies are shown as JSON.
const SHOWN: [&str; 2] = ["application/json", "text/event-stream"];

pub fn of(document: &OpenApi) -> Handbook {
    let none = Components::default();
    let reader = Reader { components: document.components.as_ref().unwrap_or(&none) };
    let groups = TAGS.iter().map(|(name, about)| Group {
        name: (*name).to_owned(),
        about: (*about).to_owned(),
        calls: reader.calls(document, name),
    });
    let types = reader.components.schemas.iter().map(|(name, schema)| reader.named(name, schema));
    Handbook { version: document.info.version.clone(), groups: groups.collect(), types: types.collect() }
}

/// Who may, for people.
fn who(rule: Rule) -> &'static str {
    match rule {
        Rule::Public => "everybody",
        Rule::Session => "everybody, for what is theirs",
        Rule::Account => "whoever is logged in",
        Rule::Staff => "the restaurant's staff",
        Rule::Courier => "couriers",
        Rule::Operator => "operators",
        Rule::Loopback => "this machine, operators",
    }
}

struct Reader<'a> {
    components: &'a Components,
}

impl Reader<'_> {
    fn calls(&self, document: &OpenApi, tag: &str) -> Vec<Call> {
        let mut calls = Vec::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                if operation.tags.as_ref().is_some_and(|tags| tags.iter().any(|one| one == tag)) {
                    let Found::Rule(rule) = access::find(&method, path) else { continue };
                    calls.push(self.call(method.as_str(), path, rule, operation));
                }
            }
        }
        calls
    }

    fn call(&self, method: &str, path: &str, rule: Rule, operation: &Operation) -> Call {
        let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        });
        let shown = parameters.map(|parameter| {
            let place = match parameter.parameter_in {
                ParameterIn::Path => "path",
                ParameterIn::Query => "query",
                _ => "header",
            };
            let must = matches!(parameter.required, Required::True);
            let mut field = self.field(&parameter.name, parameter.schema.as_ref(), must);
            field.about = parameter.description.clone().unwrap_or(field.about);
            Parameter { place: place.to_owned(), field }
        });
        let body = match &operation.request_body {
            Some(RefOr::T(body)) => self.body(body.content.iter(), body.description.as_deref().unwrap_or_default()),
            _ => None,
        };
        let answers = operation.responses.responses.iter().filter_map(|(status, answer)| self.answer(status.parse().ok()?, answer));
        Call {
            id: operation.operation_id.clone().unwrap_or_default(),
            method: method.to_owned(),
            path: path.to_owned(),
            summary: operation.summary.clone().unwrap_or_default(),
            about: operation.description.clone().unwrap_or_default(),
            who: who(rule).to_owned(),
            parameters: shown.collect(),
            body,
            answers: answers.collect(),
            curl: shell::line(method, path, rule, operation, self.components),
        }
    }

    fn body<'c>(&self, content: impl Iterator<Item = (&'c String, &'c RefOr<Content>)>, about: &str) -> Option<Body> {
        let content: Vec<(&String, &Content)> =
            content.filter_map(|(media, content)| if let RefOr::T(content) = content { Some((media, content)) } else { None }).collect();
        let (first, schema) = content.iter().find_map(|(media, content)| Some((*media, content.schema.as_ref()?)))?;
        let shown = SHOWN.contains(&first.as_str());
        let example = if shown { example::of(schema, self.components, Fields::All).pretty() } else { String::new() };
        let fields =
            if shown { resolve(schema, self.components).map(|schema| self.fields(schema)).unwrap_or_default() } else { Vec::new() };
        let media = content.iter().map(|(media, _)| (*media).clone()).collect();
        Some(Body { media, kind: self.kind(schema), about: about.to_owned(), fields, example })
    }

    fn answer(&self, status: u16, answer: &RefOr<Response>) -> Option<Answer> {
        let answer = match answer {
            RefOr::T(answer) => answer,
            RefOr::Ref(to) => match self.components.responses.get(name_of(&to.ref_location))? {
                RefOr::T(answer) => answer,
                RefOr::Ref(_) => return None,
            },
        };
        // "`CART_NOT_FOUND`: There is …", a line each.
        let code = |line: &str| Code::from_text(line.strip_prefix('`')?.split_once('`')?.0);
        let codes: Vec<Code> = answer.description.lines().filter_map(code).collect();
        let about = if codes.is_empty() { answer.description.clone() } else { String::new() };
        let headers = answer.headers.iter().filter_map(|(name, header)| match header {
            RefOr::T(header) => Some((name.clone(), header.description.clone().unwrap_or_default())),
            RefOr::Ref(_) => None,
        });
        Some(Answer { status, about, codes, headers: headers.collect(), body: self.body(answer.content.iter(), "") })
    }

    fn named(&self, name: &str, schema: &RefOr<Schema>) -> Named {
        let kind = self.kind(schema);
        let RefOr::T(schema) = schema else { return Named { name: name.to_owned(), kind, ..Named::default() } };
        let fields = self.fields(schema);
        let shapes = match schema {
            Schema::OneOf(one) => one.items.iter().map(|item| self.shape(item)).collect(),
            _ if fields.is_empty() => Vec::new(),
            _ => vec![Shape { about: String::new(), fields }],
        };
        Named { name: name.to_owned(), about: description(schema).to_owned(), kind, values: values(schema), shapes }
    }

    fn shape(&self, schema: &RefOr<Schema>) -> Shape {
        let fields = resolve(schema, self.components).map(|schema| self.fields(schema)).unwrap_or_default();
        match schema {
            RefOr::T(own) => Shape { about: description(own).to_owned(), fields },
            RefOr::Ref(to) => Shape { about: format!("As `{}`.", name_of(&to.ref_location)), fields },
        }
    }

    /// Of an object, or of all the parts of one.
    fn fields(&self, schema: &Schema) -> Vec<Field> {
        match schema {
            Schema::Object(object) => {
                let field = |(name, schema): (&String, &RefOr<Schema>)| self.field(name, Some(schema), object.required.contains(name));
                object.properties.iter().map(field).collect()
            }
            Schema::AllOf(all) => {
                let parts = all.items.iter().filter_map(|part| resolve(part, self.components));
                parts.flat_map(|part| self.fields(part)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn field(&self, name: &str, schema: Option<&RefOr<Schema>>, required: bool) -> Field {
        let (about, values) = match schema {
            Some(RefOr::T(schema)) => (description(schema).to_owned(), values(schema)),
            Some(RefOr::Ref(to)) => (to.description.clone(), Vec::new()),
            None => Default::default(),
        };
        Field { name: name.to_owned(), kind: schema.map(|schema| self.kind(schema)).unwrap_or_default(), required, about, values }
    }

    fn kind(&self, schema: &RefOr<Schema>) -> Kind {
        match schema {
            RefOr::Ref(to) => Kind { name: Some(name_of(&to.ref_location).to_owned()), ..Kind::default() },
            RefOr::T(Schema::Object(object)) => match object.additional_properties.as_deref() {
                Some(AdditionalProperties::RefOr(of)) => around("object of ", self.kind(of), ""),
                _ => word(&object_word(object)),
            },
            RefOr::T(Schema::Array(array)) => match &array.items {
                ArrayItems::RefOrSchema(items) if array.prefix_items.is_empty() => around("array of ", self.kind(items), ""),
                _ => {
                    let parts: Vec<String> = array.prefix_items.iter().map(|item| self.kind(&RefOr::T(item.clone())).before).collect();
                    word(&format!("[{}]", parts.join(", ")))
                }
            },
            RefOr::T(Schema::OneOf(one)) => self.either(&one.items),
            RefOr::T(Schema::AnyOf(any)) => self.either(&any.items),
            RefOr::T(Schema::AllOf(_)) => word("object"),
            RefOr::T(_) => word("anything"),
        }
    }

    /// Something that may be absent by being null, or several things.
    fn either(&self, items: &[RefOr<Schema>]) -> Kind {
        let is_null =
            |item: &RefOr<Schema>| matches!(item, RefOr::T(Schema::Object(Object { schema_type: SchemaType::Type(Type::Null), .. })));
        let something: Vec<&RefOr<Schema>> = items.iter().filter(|item| !is_null(item)).collect();
        match something.as_slice() {
            [one] if items.len() > 1 => around("", self.kind(one), " or null"),
            [one] => self.kind(one),
            _ => word("one of these"),
        }
    }
}

fn word(text: &str) -> Kind {
    Kind { before: text.to_owned(), ..Kind::default() }
}

fn around(before: &str, kind: Kind, after: &str) -> Kind {
    Kind { before: format!("{before}{}", kind.before), name: kind.name, after: format!("{}{after}", kind.after) }
}

/// "string, date-time", "integer, 1 to 10", "string or null".
fn object_word(object: &Object) -> String {
    let of = |kind: &Type| match kind {
        Type::Object => "object",
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::Array => "array",
        Type::Null => "null",
    };
    let mut text = match &object.schema_type {
        SchemaType::Type(one) => of(one).to_owned(),
        SchemaType::Array(several) => several.iter().map(of).collect::<Vec<_>>().join(" or "),
        SchemaType::AnyValue => "anything".to_owned(),
    };
    match &object.format {
        Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)) => text.push_str(", date-time"),
        Some(SchemaFormat::KnownFormat(KnownFormat::Password)) => text.push_str(", password"),
        Some(SchemaFormat::KnownFormat(KnownFormat::Binary)) => text.push_str(", binary"),
        _ => {}
    }
    if let (Some(min), Some(max)) = (object.min_length, object.max_length) {
        text.push_str(&format!(", {min} to {max} characters"));
    }
    if let (Some(min), Some(max)) = (&object.minimum, &object.maximum) {
        let number = |number| serde_json::to_string(number).unwrap_or_default();
        text.push_str(&format!(", {} to {}", number(min), number(max)));
    }
    text
}

fn description(schema: &Schema) -> &str {
    let said = match schema {
        Schema::Object(object) => &object.description,
        Schema::Array(array) => &array.description,
        Schema::OneOf(one) => &one.description,
        Schema::AnyOf(any) => &any.description,
        Schema::AllOf(all) => &all.description,
        _ => &None,
    };
    said.as_deref().unwrap_or_default()
}

/// Words only; numbers and objects are no choice anybody makes from a list.
fn values(schema: &Schema) -> Vec<String> {
    let Schema::Object(object) = schema else { return Vec::new() };
    object.enum_values.iter().flatten().filter_map(|value| value.as_str()).map(str::to_owned).collect()
}
