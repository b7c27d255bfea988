//! Models of XGBoost, as `save_model` writes them: JSON or UBJSON, boosters `gbtree` and `dart`.
//!
//! Features and thresholds are compared as 32-bit numbers, and sums are made in them, tree by tree, so that predictions are
//! the library's. A model that stopped early is used up to its best iteration, as the library's own estimators do.

use serde::Deserialize;
use serde_json::Value;

use super::boosted::{Boosted, Link, Precision, outputs};
use super::forest::{Branch, Forest, Sprout, Test, Vote};
use super::limit::{MOST_FEATURES, malformed, too_large, unsupported};
use super::schema::{Categories, Feature, Format, Schema, Size, Task};
use super::ubjson;
use crate::error::Result;

#[derive(Deserialize)]
struct File {
    learner: Learner,
}

#[derive(Deserialize)]
struct Learner {
    #[serde(default)]
    attributes: Attributes,
    #[serde(default)]
    feature_names: Vec<String>,
    #[serde(default)]
    feature_types: Vec<String>,
    gradient_booster: Booster,
    learner_model_param: Param,
    objective: Objective,
}

#[derive(Default, Deserialize)]
struct Attributes {
    best_iteration: Option<String>,
}

#[derive(Deserialize)]
struct Booster {
    name: String,
    model: Option<Trees>,
    gbtree: Option<Inner>,
    #[serde(default)]
    weight_drop: Vec<f32>,
}

#[derive(Deserialize)]
struct Inner {
    model: Trees,
}

#[derive(Deserialize)]
struct Trees {
    /// Absent in boosters of another kind, which are refused by their name.
    gbtree_model_param: Option<TreesParam>,
    #[serde(default)]
    iteration_indptr: Vec<usize>,
    #[serde(default)]
    tree_info: Vec<u32>,
    #[serde(default)]
    trees: Vec<Tree>,
    #[serde(default)]
    cats: Encodings,
}

#[derive(Deserialize)]
struct TreesParam {
    #[serde(default = "one")]
    num_parallel_tree: String,
}

fn one() -> String {
    "1".to_owned()
}

/// The categories of each feature: texts as bytes with offsets, or numbers.
#[derive(Default, Deserialize)]
struct Encodings {
    #[serde(default)]
    enc: Vec<Encoding>,
}

#[derive(Deserialize)]
struct Encoding {
    offsets: Option<Vec<usize>>,
    #[serde(default)]
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct Tree {
    left_children: Vec<i32>,
    right_children: Vec<i32>,
    split_conditions: Vec<f32>,
    split_indices: Vec<u32>,
    default_left: Vec<Value>,
    #[serde(default)]
    split_type: Vec<u8>,
    #[serde(default)]
    categories: Vec<u32>,
    #[serde(default)]
    categories_nodes: Vec<i32>,
    #[serde(default)]
    categories_segments: Vec<usize>,
    #[serde(default)]
    categories_sizes: Vec<usize>,
    tree_param: TreeParam,
}

#[derive(Deserialize)]
struct TreeParam {
    #[serde(default = "one")]
    size_leaf_vector: String,
}

#[derive(Deserialize)]
struct Param {
    base_score: String,
    #[serde(default)]
    num_class: String,
    #[serde(default)]
    num_feature: String,
    #[serde(default)]
    num_target: String,
}

#[derive(Deserialize)]
struct Objective {
    name: String,
}

/// Reads a model.
///
/// # Errors
/// `malformed_model`, `unsupported_model`, `too_large`.
pub(super) fn read(bytes: &[u8]) -> Result<(Schema, Boosted)> {
    // An object of UBJSON has the marker of its first key's length behind the brace.
    let binary = matches!(bytes, [b'{', b'L' | b'i' | b'U' | b'I' | b'l', ..]);
    let file: File = if binary {
        serde_json::from_str(&ubjson::to_json(bytes)?)
    } else {
        serde_json::from_slice(bytes)
    }
    .map_err(malformed)?;
    let learner = file.learner;
    let booster = learner.gradient_booster;
    let model = match (booster.name.as_str(), booster.model, booster.gbtree) {
        ("gbtree", Some(model), _) => model,
        ("dart", _, Some(inner)) => inner.model,
        ("gbtree" | "dart", ..) => return Err(malformed("the booster has no trees")),
        (other, ..) => return Err(unsupported(format!("the booster `{other}`"))),
    };
    if model.gbtree_model_param.is_none() {
        return Err(malformed("the booster does not say how its trees are"));
    }
    let count = |text: &str, what: &str| match text.parse::<usize>() {
        Ok(n) if n <= MOST_FEATURES => Ok(n),
        Ok(_) => Err(too_large(format!(
            "it has more than {MOST_FEATURES} {what}"
        ))),
        Err(_) if text.is_empty() => Ok(0),
        Err(_) => Err(malformed(format!("the number of {what} is `{text}`"))),
    };
    let param = &learner.learner_model_param;
    let classes = count(&param.num_class, "classes")?;
    let targets = count(&param.num_target, "targets")?.max(1);
    let targets = if classes > 1 { classes } else { targets };
    let objective = learner.objective.name.as_str();
    let (task, link, margin) = meaning(objective)?;
    let base = base(&param.base_score, targets, margin)?;
    let iterations = learner.attributes.best_iteration.as_deref();
    let kept = kept(&model, targets, iterations)?;
    let mut forest = Forest::default();
    let trees = model.trees.iter().zip(&model.tree_info).take(kept);
    for (i, (tree, target)) in trees.enumerate() {
        if *target as usize >= targets {
            return Err(malformed("a tree is of a class that is not there"));
        }
        let weight = booster.weight_drop.get(i).copied().unwrap_or(1.0);
        plant(&mut forest, tree, *target, weight)?;
    }
    let width = count(&param.num_feature, "features")?;
    if let (Some(feature), _) = forest.reach()
        && feature as usize >= width
    {
        return Err(malformed("a tree looks at a feature that is not there"));
    }
    let classes: Vec<String> = match task {
        Task::Classification => (0..targets.max(2)).map(|i| i.to_string()).collect(),
        _ => Vec::new(),
    };
    let feature = |i: usize| {
        let name = learner.feature_names.get(i).cloned();
        let name = name.unwrap_or_else(|| format!("f{i}"));
        let kind = learner.feature_types.get(i).map(String::as_str);
        match model.cats.enc.get(i).filter(|_| kind == Some("c")) {
            Some(encoding) => Ok(match categories(encoding)? {
                Some(known) => Feature::categorical(name, known),
                None => Feature::number(name),
            }),
            None => Ok(Feature::number(name)),
        }
    };
    let schema = Schema {
        format: Format::Xgboost,
        task,
        objective: objective.to_owned(),
        features: (0..width).map(feature).collect::<Result<_>>()?,
        outputs: outputs(task, targets, &classes),
        classes,
        size: Size {
            trees: forest.len(),
            nodes: forest.size(),
            operators: 0,
        },
    };
    let boosted = Boosted {
        forest,
        base,
        divisor: 1.0,
        link,
        precision: Precision::Single,
    };
    Ok((schema, boosted))
}

/// How a prediction becomes a sum.
type Margin = fn(f64) -> f64;

/// What an objective foretells, how sums become predictions, and how the base score becomes a sum.
fn meaning(objective: &str) -> Result<(Task, Link, Margin)> {
    let logit: Margin = |p| -((1.0 / p - 1.0).ln());
    let same: Margin = |x| x;
    let (task, link, margin) = match objective {
        "binary:logistic" => (Task::Classification, Link::Sigmoid(1.0), logit),
        "reg:logistic" => (Task::Regression, Link::Sigmoid(1.0), logit),
        "binary:logitraw" => (Task::Regression, Link::Identity, same),
        "binary:hinge" => (Task::Classification, Link::Step, same),
        "multi:softprob" | "multi:softmax" => (Task::Classification, Link::Softmax, same),
        "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
            (Task::Regression, Link::Exp, f64::ln as Margin)
        }
        "reg:squarederror"
        | "reg:linear"
        | "reg:squaredlogerror"
        | "reg:absoluteerror"
        | "reg:pseudohubererror"
        | "reg:quantileerror"
        | "rank:pairwise"
        | "rank:ndcg"
        | "rank:map" => (Task::Regression, Link::Identity, same),
        other => return Err(unsupported(format!("the objective `{other}`"))),
    };
    Ok((task, link, margin))
}

/// The sums to begin at: one number or a list of them, as predictions.
fn base(written: &str, targets: usize, margin: Margin) -> Result<Vec<f64>> {
    let inner = written.trim_start_matches('[').trim_end_matches(']');
    let numbers: Vec<f64> = inner
        .split(',')
        .map(|n| n.trim().parse::<f32>().ok().map(f64::from))
        .collect::<Option<_>>()
        .ok_or_else(|| malformed(format!("the base score is `{written}`")))?;
    let sums: Vec<f64> = match numbers.as_slice() {
        [one] => vec![margin(*one); targets],
        many if many.len() == targets => many.iter().map(|n| margin(*n)).collect(),
        _ => return Err(malformed("there is not one base score a target")),
    };
    if sums.iter().any(|sum| !sum.is_finite()) {
        return Err(malformed(format!("the base score is `{written}`")));
    }
    Ok(sums)
}

/// How many trees count: all, or those up to the best iteration.
fn kept(model: &Trees, targets: usize, best: Option<&str>) -> Result<usize> {
    let all = model.trees.len();
    if model.tree_info.len() != all {
        return Err(malformed("there is not one class a tree"));
    }
    let Some(best) = best.and_then(|text| text.parse::<usize>().ok()) else {
        return Ok(all);
    };
    let end = match model.iteration_indptr.get(best.saturating_add(1)) {
        Some(end) => *end,
        None => {
            let param = model.gbtree_model_param.as_ref();
            let parallel = param.and_then(|p| p.num_parallel_tree.parse::<usize>().ok());
            let parallel = parallel.unwrap_or(1);
            best.saturating_add(1)
                .saturating_mul(targets)
                .saturating_mul(parallel)
        }
    };
    Ok(end.min(all))
}

fn plant(forest: &mut Forest, tree: &Tree, target: u32, weight: f32) -> Result<()> {
    if tree
        .tree_param
        .size_leaf_vector
        .parse::<usize>()
        .unwrap_or(1)
        > 1
    {
        return Err(unsupported(
            "trees of several targets (`multi_output_tree`)",
        ));
    }
    forest.plant(0, |forest, id| {
        let missing = || malformed("a tree lacks a node");
        let at = usize::try_from(id).map_err(|_| missing())?;
        let left = *tree.left_children.get(at).ok_or_else(missing)?;
        let right = *tree.right_children.get(at).ok_or_else(missing)?;
        let condition = *tree.split_conditions.get(at).ok_or_else(missing)?;
        if left == -1 {
            return Ok(Sprout::Leaf(vec![Vote {
                target,
                weight: f64::from(weight * condition),
            }]));
        }
        let categorical = tree.split_type.get(at) == Some(&1);
        let test = if categorical {
            Test::NotIn(forest.set(bits(tree, id)?))
        } else {
            Test::Less
        };
        Ok(Sprout::Branch(Branch {
            feature: *tree.split_indices.get(at).ok_or_else(missing)?,
            test,
            threshold: f64::from(condition),
            missing_left: match tree.default_left.get(at).ok_or_else(missing)? {
                Value::Bool(left) => *left,
                other => other.as_i64() == Some(1),
            },
            zero_left: None,
            left: i64::from(left),
            right: i64::from(right),
        }))
    })
}

/// The bits of the categories that go right at a node.
fn bits(tree: &Tree, id: i64) -> Result<Vec<u32>> {
    let wrong = || malformed("a tree lacks the categories of a node");
    let place = tree
        .categories_nodes
        .iter()
        .position(|n| i64::from(*n) == id);
    let place = place.ok_or_else(wrong)?;
    let from = *tree.categories_segments.get(place).ok_or_else(wrong)?;
    let size = *tree.categories_sizes.get(place).ok_or_else(wrong)?;
    let end = from.checked_add(size).ok_or_else(wrong)?;
    let categories = tree.categories.get(from..end).ok_or_else(wrong)?;
    let most = categories.iter().copied().max().unwrap_or_default();
    if most as usize >= MOST_FEATURES {
        return Err(too_large(format!(
            "a feature has more than {MOST_FEATURES} categories"
        )));
    }
    let mut words = vec![0_u32; most as usize / 32 + 1];
    for category in categories {
        if let Some(word) = words.get_mut(*category as usize / 32) {
            *word |= 1 << (category % 32);
        }
    }
    Ok(words)
}

/// The categories of a feature; none where the file only knows their codes.
fn categories(encoding: &Encoding) -> Result<Option<Categories>> {
    let Some(offsets) = encoding.offsets.as_deref().filter(|o| !o.is_empty()) else {
        let known = (!encoding.values.is_empty()).then(|| encoding.values.clone());
        return Ok(known.map(Categories::Numbers));
    };
    let bytes: Vec<u8> = encoding.values.iter().map(|b| (*b as i64) as u8).collect();
    let text = |pair: &[usize]| match pair {
        [from, to] => {
            let bytes = bytes.get(*from..*to)?;
            String::from_utf8(bytes.to_vec()).ok()
        }
        _ => None,
    };
    let texts: Option<Vec<String>> = offsets.windows(2).map(text).collect();
    let texts = texts.ok_or_else(|| malformed("the categories of a feature are no texts"))?;
    Ok(Some(Categories::Texts(texts)))
}
