//! The parts of ONNX's protocol buffers that models are read from. Fields are numbered as in `onnx.proto3`.

use super::super::limit::{malformed, too_large};
use crate::error::Result;

/// A field of a message.
enum Field<'a> {
    Number(u64),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
}

/// So many of one thing within one other thing are refused before they take memory.
const MOST_PARTS: usize = 1 << 20;

/// Nested messages are read no deeper.
const DEEPEST: usize = 8;

fn cut() -> crate::error::Error {
    malformed("it ends within a field")
}

fn varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or_else(cut)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(malformed("a number has more than 64 bits"))
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or_else(cut)?;
    *bytes = rest;
    Ok(taken)
}

fn fixed<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    take(bytes, N)?.try_into().map_err(|_| cut())
}

/// Gives every field of a message to `each`.
fn fields<'a>(
    mut bytes: &'a [u8],
    mut each: impl FnMut(u64, Field<'a>) -> Result<()>,
) -> Result<()> {
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)?),
            1 => Field::Fixed64(fixed(&mut bytes)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).map_err(|_| cut())?;
                Field::Bytes(take(&mut bytes, length)?)
            }
            5 => Field::Fixed32(fixed(&mut bytes)?),
            other => return Err(malformed(format!("a field is of the wire type {other}"))),
        };
        each(key >> 3, field)?;
    }
    Ok(())
}

impl<'a> Field<'a> {
    fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(malformed("a message is none")),
        }
    }

    fn text(self) -> Result<String> {
        let text =
            std::str::from_utf8(self.bytes()?).map_err(|_| malformed("a text is not UTF-8"))?;
        Ok(text.to_owned())
    }

    fn number(self) -> Result<i64> {
        match self {
            Self::Number(number) => Ok(number as i64),
            _ => Err(malformed("a number is none")),
        }
    }

    /// Numbers, packed or one by one.
    fn integers(self, into: &mut Vec<i64>) -> Result<()> {
        match self {
            Self::Number(number) => into.push(number as i64),
            Self::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    into.push(varint(&mut bytes)? as i64);
                }
            }
            _ => return Err(malformed("numbers are none")),
        }
        Ok(())
    }

    fn singles(self, into: &mut Vec<f64>) -> Result<()> {
        match self {
            Self::Fixed32(bytes) => into.push(f64::from(f32::from_le_bytes(bytes))),
            Self::Bytes(bytes) => {
                let (numbers, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err(cut());
                }
                into.extend(numbers.iter().map(|n| f64::from(f32::from_le_bytes(*n))));
            }
            _ => return Err(malformed("numbers are none")),
        }
        Ok(())
    }

    fn doubles(self, into: &mut Vec<f64>) -> Result<()> {
        match self {
            Self::Fixed64(bytes) => into.push(f64::from_le_bytes(bytes)),
            Self::Bytes(bytes) => {
                let (numbers, rest) = bytes.as_chunks::<8>();
                if !rest.is_empty() {
                    return Err(cut());
                }
                into.extend(numbers.iter().map(|n| f64::from_le_bytes(*n)));
            }
            _ => return Err(malformed("numbers are none")),
        }
        Ok(())
    }
}

fn push<T>(list: &mut Vec<T>, item: T, most: usize, what: &str) -> Result<()> {
    if list.len() >= most {
        return Err(too_large(format!("it has more than {most} {what}")));
    }
    list.push(item);
    Ok(())
}

/// A file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// The version of the operators of each domain.
    pub(super) versions: Vec<(String, i64)>,
    pub(super) graph: Option<Graph>,
    pub(super) functions: bool,
}

/// A graph of operators.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) constants: Vec<RawTensor>,
    pub(super) inputs: Vec<Value>,
    pub(super) outputs: Vec<Value>,
}

/// An operator.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) operator: String,
    pub(super) domain: String,
    pub(super) attributes: Vec<Attribute>,
}

/// An attribute of an operator.
#[derive(Debug, Default)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) float: f64,
    pub(super) integer: i64,
    pub(super) text: Vec<u8>,
    pub(super) tensor: Option<RawTensor>,
    pub(super) floats: Vec<f64>,
    pub(super) integers: Vec<i64>,
    pub(super) texts: Vec<String>,
    pub(super) graph: bool,
}

/// A tensor as it is stored.
#[derive(Clone, Debug, Default)]
pub(super) struct RawTensor {
    pub(super) name: String,
    pub(super) shape: Vec<i64>,
    pub(super) kind: i64,
    pub(super) singles: Vec<f64>,
    pub(super) integers: Vec<i64>,
    pub(super) doubles: Vec<f64>,
    pub(super) texts: Vec<String>,
    pub(super) raw: Vec<u8>,
    pub(super) elsewhere: bool,
}

/// An input or output.
#[derive(Debug, Default)]
pub(super) struct Value {
    pub(super) name: String,
    /// The kind of its elements; nothing where it is no tensor.
    pub(super) kind: Option<i64>,
    /// Its shape; -1 where a side has no fixed length.
    pub(super) shape: Vec<i64>,
}

/// Reads a file.
pub(super) fn file(bytes: &[u8], most_operators: usize) -> Result<File> {
    let mut file = File::default();
    fields(bytes, |number, field| {
        match number {
            7 => {
                if file.graph.is_some() {
                    return Err(malformed("it has two graphs"));
                }
                file.graph = Some(graph(field.bytes()?, most_operators)?);
            }
            8 => {
                let (mut domain, mut version) = (String::new(), 0);
                fields(field.bytes()?, |number, field| {
                    match number {
                        1 => domain = field.text()?,
                        2 => version = field.number()?,
                        _ => {}
                    }
                    Ok(())
                })?;
                push(&mut file.versions, (domain, version), 64, "domains")?;
            }
            25 => file.functions = true,
            _ => {}
        }
        Ok(())
    })?;
    Ok(file)
}

fn graph(bytes: &[u8], most: usize) -> Result<Graph> {
    let mut graph = Graph::default();
    fields(bytes, |number, field| match number {
        1 => push(&mut graph.nodes, node(field.bytes()?)?, most, "operators"),
        5 => {
            let tensor = tensor(field.bytes()?)?;
            push(&mut graph.constants, tensor, MOST_PARTS / 16, "constants")
        }
        11 => push(
            &mut graph.inputs,
            value(field.bytes()?)?,
            MOST_PARTS / 8,
            "inputs",
        ),
        12 => push(&mut graph.outputs, value(field.bytes()?)?, 64, "outputs"),
        15 => Err(super::super::limit::unsupported("sparse constants")),
        _ => Ok(()),
    })?;
    Ok(graph)
}

fn node(bytes: &[u8]) -> Result<Node> {
    let mut node = Node::default();
    fields(bytes, |number, field| match number {
        1 => push(
            &mut node.inputs,
            field.text()?,
            100_000,
            "inputs of an operator",
        ),
        2 => push(
            &mut node.outputs,
            field.text()?,
            64,
            "outputs of an operator",
        ),
        4 => field.text().map(|text| node.operator = text),
        5 => push(
            &mut node.attributes,
            attribute(field.bytes()?)?,
            64,
            "attributes of an operator",
        ),
        7 => field.text().map(|text| node.domain = text),
        _ => Ok(()),
    })?;
    Ok(node)
}

fn attribute(bytes: &[u8]) -> Result<Attribute> {
    let mut read = Attribute::default();
    fields(bytes, |number, field| {
        match number {
            1 => read.name = field.text()?,
            2 => {
                let mut one = Vec::new();
                field.singles(&mut one)?;
                read.float = one.first().copied().unwrap_or_default();
            }
            3 => read.integer = field.number()?,
            4 => read.text = field.bytes()?.to_vec(),
            5 => read.tensor = Some(tensor(field.bytes()?)?),
            6 | 11 => read.graph = true,
            7 => field.singles(&mut read.floats)?,
            8 => field.integers(&mut read.integers)?,
            9 => push(
                &mut read.texts,
                field.text()?,
                MOST_PARTS,
                "texts of an attribute",
            )?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(read)
}

fn tensor(bytes: &[u8]) -> Result<RawTensor> {
    let mut read = RawTensor::default();
    fields(bytes, |number, field| {
        match number {
            1 => {
                field.integers(&mut read.shape)?;
                if read.shape.len() > DEEPEST {
                    return Err(too_large(format!("a tensor has more than {DEEPEST} sides")));
                }
            }
            2 => read.kind = field.number()?,
            4 => field.singles(&mut read.singles)?,
            5 | 7 | 11 => field.integers(&mut read.integers)?,
            6 => push(
                &mut read.texts,
                field.text()?,
                MOST_PARTS,
                "texts of a tensor",
            )?,
            8 => read.name = field.text()?,
            9 => read.raw = field.bytes()?.to_vec(),
            10 => field.doubles(&mut read.doubles)?,
            13 => read.elsewhere = true,
            14 => read.elsewhere |= field.number()? == 1,
            _ => {}
        }
        Ok(())
    })?;
    Ok(read)
}

fn value(bytes: &[u8]) -> Result<Value> {
    let mut read = Value::default();
    fields(bytes, |number, field| {
        match number {
            1 => read.name = field.text()?,
            2 => fields(field.bytes()?, |number, field| {
                if number == 1 {
                    tensor_type(field.bytes()?, &mut read)?;
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(read)
}

fn tensor_type(bytes: &[u8], value: &mut Value) -> Result<()> {
    fields(bytes, |number, field| {
        match number {
            1 => value.kind = Some(field.number()?),
            2 => fields(field.bytes()?, |number, field| {
                if number != 1 {
                    return Ok(());
                }
                let mut side = -1;
                fields(field.bytes()?, |number, field| {
                    if number == 1 {
                        side = field.number()?;
                    }
                    Ok(())
                })?;
                push(&mut value.shape, side, DEEPEST, "sides of an input")
            })?,
            _ => {}
        }
        Ok(())
    })
}
