//! JSON Schema in few words.

use serde_json::{Map, Value, json};

/// A schema of `components`.
pub(crate) fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Text.
pub(crate) fn text() -> Value {
    json!({ "type": "string" })
}

/// Text of so many characters.
pub(crate) fn text_of(least: usize, most: usize) -> Value {
    json!({ "type": "string", "minLength": least, "maxLength": most })
}

/// Text of so many characters that every store can hold: none of them is NUL.
pub(crate) fn plain(least: usize, most: usize) -> Value {
    json!({ "type": "string", "minLength": least, "maxLength": most, "pattern": "^[^\\u0000]*$" })
}

/// One of some names.
pub(crate) fn one_of(names: &[&str]) -> Value {
    json!({ "type": "string", "enum": names })
}

/// A whole number within bounds, both included.
pub(crate) fn integer(least: i64, most: i64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

/// How many.
pub(crate) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// A number.
pub(crate) fn number() -> Value {
    json!({ "type": "number" })
}

/// `true` or `false`.
pub(crate) fn truth() -> Value {
    json!({ "type": "boolean" })
}

/// An instant in UTC.
pub(crate) fn instant() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

/// A list.
pub(crate) fn list(of: Value) -> Value {
    json!({ "type": "array", "items": of })
}

/// One of the real-time figures, or the events of a name or of a list of the catalogue. In a query string commas stand between names.
pub(crate) fn measure(metrics: &[&str]) -> Value {
    let lists = "\\$(page_views|conversions|errors|features|revenue)";
    let other = format!("^(events|users):({lists}|[^,$\\u0000][^,\\u0000]{{0,199}})$");
    json!({ "anyOf": [one_of(metrics), { "type": "string", "pattern": other }] })
}

/// How long a window of real-time figures is.
pub(crate) fn time_range() -> Value {
    let known = one_of(&["last_5_minutes", "last_15_minutes", "last_hour"]);
    let length = "^([1-9][0-9]{0,3}s|[1-9][0-9]{0,2}m|([1-9]|1[0-9]|2[0-4])h)$";
    json!({ "anyOf": [known, { "type": "string", "pattern": length }] })
}

/// Or null.
pub(crate) fn nullable(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// At most so many event names in a query string, where commas stand between names and `[` and `{` begin JSON.
pub(crate) fn events(most: usize) -> Value {
    let name = json!({ "type": "string", "pattern": "^[^,\\[{][^,]*$", "maxLength": 200 });
    json!({ "type": "array", "items": name, "minItems": 1, "maxItems": most })
}

/// Any object.
pub(crate) fn open() -> Value {
    json!({ "type": "object" })
}

/// With what is said of it.
pub(crate) fn about(mut schema: Value, description: &str) -> Value {
    if let Some(map) = schema.as_object_mut() {
        map.insert("description".to_owned(), description.into());
    }
    schema
}

/// With what is meant where it is absent.
pub(crate) fn default(mut schema: Value, value: Value) -> Value {
    if let Some(map) = schema.as_object_mut() {
        map.insert("default".to_owned(), value);
    }
    schema
}

/// An object of an answer: those fields are always there, and more may come with later versions. A name that ends in `?` is that of a
/// field that may be absent.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let (required, properties) = read(fields);
    json!({ "type": "object", "required": required, "properties": properties })
}

/// An object of a request, which takes no other fields. A field that may be absent may be null too.
pub(crate) fn closed<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let fields = fields.into_iter().map(|(name, schema)| {
        let optional = name.ends_with('?');
        (name, if optional { nullable(schema) } else { schema })
    });
    let (required, properties) = read(fields);
    let mut schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (false, Some(map)) = (required.is_empty(), schema.as_object_mut()) {
        map.insert("required".to_owned(), required.into());
    }
    schema
}

fn read<'a>(
    fields: impl IntoIterator<Item = (&'a str, Value)>,
) -> (Vec<String>, Map<String, Value>) {
    let mut required = Vec::new();
    let mut properties = Map::new();
    for (name, schema) in fields {
        let plain = name.trim_end_matches('?');
        if plain == name {
            required.push(plain.to_owned());
        }
        properties.insert(plain.to_owned(), schema);
    }
    (required, properties)
}
