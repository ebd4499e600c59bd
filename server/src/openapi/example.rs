//! Examples of bodies, made of what schemas say: their own example, the first of their values, or something of their type.

use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Components, SchemaType, Type};
use utoipa::openapi::{KnownFormat, Object, RefOr, Schema, SchemaFormat};

/// JSON whose fields stay in the order of the schema.
#[derive(Clone, Debug)]
pub enum Json {
    Plain(String),
    List(Vec<Json>),
    Fields(Vec<(String, Json)>),
}

/// Deeper than any body of ours; a type that holds itself ends here.
const DEEPEST: usize = 8;

/// Which fields are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    All,
    /// Those without which the call is refused; all where there are none.
    Required,
}

pub fn of(schema: &RefOr<Schema>, components: &Components, which: Fields) -> Json {
    Maker { components, which }.of(schema, 0)
}

/// What a reference means.
pub fn resolve<'a>(schema: &'a RefOr<Schema>, components: &'a Components) -> Option<&'a Schema> {
    match schema {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(to) => resolve(components.schemas.get(name_of(&to.ref_location))?, components),
    }
}

/// The name at the end of `#/components/schemas/Cart`.
pub fn name_of(location: &str) -> &str {
    location.rsplit('/').next().unwrap_or(location)
}

struct Maker<'a> {
    components: &'a Components,
    which: Fields,
}

impl Maker<'_> {
    fn of(&self, schema: &RefOr<Schema>, depth: usize) -> Json {
        let Some(schema) = resolve(schema, self.components).filter(|_| depth <= DEEPEST) else { return plain(&Value::Null) };
        match schema {
            Schema::Object(object) => self.object(object, depth),
            Schema::Array(array) => {
                let own = array.examples.first().or(array.example.as_ref());
                match (&array.items, own) {
                    (_, Some(example)) => plain(example),
                    _ if !array.prefix_items.is_empty() => {
                        Json::List(array.prefix_items.iter().map(|item| self.of(&RefOr::T(item.clone()), depth + 1)).collect())
                    }
                    (ArrayItems::RefOrSchema(items), None) => Json::List(vec![self.of(items, depth + 1)]),
                    (ArrayItems::False, None) => Json::List(Vec::new()),
                }
            }
            Schema::OneOf(one) => self.first_of(&one.items, depth),
            Schema::AnyOf(any) => self.first_of(&any.items, depth),
            Schema::AllOf(all) => {
                let parts = all.items.iter().map(|part| self.of(part, depth + 1));
                Json::Fields(parts.flat_map(|part| if let Json::Fields(fields) = part { fields } else { Vec::new() }).collect())
            }
            _ => plain(&Value::Null),
        }
    }

    /// The first that is something.
    fn first_of(&self, items: &[RefOr<Schema>], depth: usize) -> Json {
        let is_null = |item: &&RefOr<Schema>| matches!(item, RefOr::T(Schema::Object(object)) if matches!(object.schema_type, SchemaType::Type(Type::Null)));
        items.iter().find(|item| !is_null(item)).map_or_else(|| plain(&Value::Null), |item| self.of(item, depth + 1))
    }

    fn object(&self, object: &Object, depth: usize) -> Json {
        let said = object.examples.first().or(object.example.as_ref()).or_else(|| object.enum_values.as_ref()?.first());
        if let Some(said) = said {
            return plain(said);
        }
        if !object.properties.is_empty() {
            let all = self.which == Fields::All || object.required.is_empty();
            let shown = object.properties.iter().filter(|(name, _)| all || object.required.contains(name));
            return Json::Fields(shown.map(|(name, schema)| (name.clone(), self.of(schema, depth + 1))).collect());
        }
        if let Some(AdditionalProperties::RefOr(of)) = object.additional_properties.as_deref() {
            return Json::Fields(vec![("name".to_owned(), self.of(of, depth + 1))]);
        }
        let date = matches!(object.format, Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        Json::Plain(match kind(&object.schema_type) {
            Some(Type::String) if date => "\"2026-11-20T09:30:00.000Z\"".to_owned(),
            Some(Type::String) => "\"text\"".to_owned(),
            Some(Type::Integer) => "1".to_owned(),
            Some(Type::Number) => "1.5".to_owned(),
            Some(Type::Boolean) => "true".to_owned(),
            Some(Type::Array) => "[]".to_owned(),
            Some(Type::Object) => "{}".to_owned(),
            Some(Type::Null) | None => "null".to_owned(),
        })
    }
}

/// The first type that is something.
pub fn kind(schema_type: &SchemaType) -> Option<&Type> {
    match schema_type {
        SchemaType::Type(one) => Some(one),
        SchemaType::Array(several) => several.iter().find(|one| !matches!(one, Type::Null)),
        SchemaType::AnyValue => None,
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Array(items) => Json::List(items.iter().map(plain).collect()),
        Value::Object(fields) => Json::Fields(fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()),
        other => Json::Plain(other.to_string()),
    }
}

impl Json {
    /// On one line, for a command.
    pub fn line(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::line).collect::<Vec<_>>().join(",")),
            Self::Fields(fields) => {
                let fields = fields.iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), value.line()));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// For people.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        let next = |out: &mut String, first: bool, depth: usize| {
            out.push_str(if first { "\n" } else { ",\n" });
            out.push_str(&"  ".repeat(depth));
        };
        match self {
            Self::Plain(text) => out.push_str(text),
            Self::List(items) if items.is_empty() => out.push_str("[]"),
            Self::List(items) if items.iter().all(|item| matches!(item, Self::Plain(_))) => out.push_str(&self.line()),
            Self::Fields(fields) if fields.is_empty() => out.push_str("{}"),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    next(out, at == 0, depth + 1);
                    item.write(out, depth + 1);
                }
                next(out, true, depth);
                out.push(']');
            }
            Self::Fields(fields) => {
                out.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    next(out, at == 0, depth + 1);
                    out.push_str(&format!("{}: ", Value::from(name.as_str())));
                    value.write(out, depth + 1);
                }
                next(out, true, depth);
                out.push('}');
            }
        }
    }
}
