//! Models of LightGBM, as `save_model` writes them: `gbdt`, `dart` and random forests, with categorical splits.
//!
//! Features, thresholds and sums are 64-bit numbers, as the library's are.

use std::collections::HashMap;
use std::str::{FromStr, Lines};

use serde_json::Value;

use super::boosted::{Boosted, Link, Precision, outputs};
use super::forest::{Branch, Forest, Sprout, Test, Vote};
use super::limit::{MOST_FEATURES, malformed, too_large, unsupported};
use super::schema::{Categories, Feature, Format, Schema, Size, Task};
use crate::error::Result;

/// The lines `key=value` of a part of the file.
struct Part<'a>(HashMap<&'a str, &'a str>);

impl<'a> Part<'a> {
    /// Reads up to an empty line.
    fn read(lines: &mut Lines<'a>) -> Self {
        let mut found = HashMap::new();
        for line in lines.by_ref() {
            if line.is_empty() {
                break;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            found.insert(key, value);
        }
        Self(found)
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).copied()
    }

    fn one<T: FromStr>(&self, key: &str) -> Result<T> {
        let parsed = self.text(key).and_then(|text| text.trim().parse().ok());
        parsed.ok_or_else(|| malformed(format!("`{key}` is missing or no number")))
    }

    fn list<T: FromStr>(&self, key: &str) -> Result<Vec<T>> {
        let text = self.text(key).unwrap_or_default();
        let numbers = text.split_ascii_whitespace().map(|n| n.parse().ok());
        numbers
            .collect::<Option<_>>()
            .ok_or_else(|| malformed(format!("`{key}` is no list of numbers")))
    }
}

/// Reads a model.
///
/// # Errors
/// `malformed_model`, `unsupported_model`, `too_large`.
pub(super) fn read(bytes: &[u8]) -> Result<(Schema, Boosted)> {
    let text = std::str::from_utf8(bytes).map_err(malformed)?;
    let mut lines = text.lines();
    if lines.next() != Some("tree") {
        return Err(malformed("the first line is not `tree`"));
    }
    let head = Part::read(&mut lines);
    let targets: usize = head.one("num_tree_per_iteration")?;
    let width = head.one::<usize>("max_feature_idx")?.saturating_add(1);
    if targets == 0 || targets > MOST_FEATURES || width > MOST_FEATURES {
        return Err(too_large(format!(
            "it has no class, or more than {MOST_FEATURES} classes or features"
        )));
    }
    let objective = head.text("objective").unwrap_or_default();
    let (task, link) = meaning(objective)?;
    let mut forest = Forest::default();
    let mut trees = 0_usize;
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        if line == "end of trees" {
            break;
        }
        if !line.starts_with("Tree=") {
            return Err(malformed("a tree does not begin with `Tree=`"));
        }
        plant(
            &mut forest,
            &Part::read(&mut lines),
            (trees % targets) as u32,
        )?;
        trees += 1;
    }
    // Each tree begins with its size in bytes there, so that none is missing in a file that is cut off.
    if head.list::<usize>("tree_sizes")?.len() != trees {
        return Err(malformed("it has not as many trees as it says"));
    }
    if let (Some(feature), _) = forest.reach()
        && feature as usize >= width
    {
        return Err(malformed("a tree looks at a feature that is not there"));
    }
    let names: Vec<&str> = head
        .text("feature_names")
        .unwrap_or_default()
        .split(' ')
        .collect();
    if names.len() != width {
        return Err(malformed("there is not one name a feature"));
    }
    let features = features(&names, &head, lines)?;
    let classes: Vec<String> = match task {
        Task::Classification => (0..targets.max(2)).map(|i| i.to_string()).collect(),
        _ => Vec::new(),
    };
    let averaged = head.text("average_output").is_some();
    let schema = Schema {
        format: Format::Lightgbm,
        task,
        objective: objective.to_owned(),
        features,
        outputs: outputs(task, targets, &classes),
        classes,
        size: Size {
            trees,
            nodes: forest.size(),
            operators: 0,
        },
    };
    let boosted = Boosted {
        forest,
        base: vec![0.0; targets],
        divisor: if averaged {
            (trees / targets).max(1) as f64
        } else {
            1.0
        },
        link,
        precision: Precision::Double,
    };
    Ok((schema, boosted))
}

/// What an objective foretells, and how sums become predictions.
fn meaning(objective: &str) -> Result<(Task, Link)> {
    let mut words = objective.split(' ');
    let name = words.next().unwrap_or_default();
    let options: Vec<&str> = words.collect();
    let sigmoid = || {
        let given = options.iter().find_map(|o| o.strip_prefix("sigmoid:"));
        given.map_or(Ok(1.0), |k| {
            let k = k.parse::<f64>().ok().filter(|k| k.is_finite() && *k > 0.0);
            k.ok_or_else(|| malformed("the objective's `sigmoid` is no number above 0"))
        })
    };
    Ok(match name {
        "binary" => (Task::Classification, Link::Sigmoid(sigmoid()?)),
        "multiclassova" => (Task::Classification, Link::Sigmoid(sigmoid()?)),
        "multiclass" => (Task::Classification, Link::Softmax),
        "cross_entropy" => (Task::Regression, Link::Sigmoid(1.0)),
        "cross_entropy_lambda" => (Task::Regression, Link::SoftPlus),
        "poisson" | "gamma" | "tweedie" => (Task::Regression, Link::Exp),
        "regression" if options.contains(&"sqrt") => (Task::Regression, Link::SignedSquare),
        "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank"
        | "rank_xendcg" => (Task::Regression, Link::Identity),
        // Trained with a function of one's own: what it gives are the sums.
        "" | "custom" => (Task::Regression, Link::Identity),
        other => return Err(unsupported(format!("the objective `{other}`"))),
    })
}

fn plant(forest: &mut Forest, part: &Part<'_>, target: u32) -> Result<()> {
    if part
        .text("is_linear")
        .is_some_and(|linear| linear.trim() != "0")
    {
        return Err(unsupported("linear trees (`linear_tree`)"));
    }
    let leaves: usize = part.one("num_leaves")?;
    let values: Vec<f64> = part.list("leaf_value")?;
    let features: Vec<u32> = part.list("split_feature")?;
    let thresholds: Vec<f64> = part.list("threshold")?;
    let decisions: Vec<u8> = part.list("decision_type")?;
    let lefts: Vec<i64> = part.list("left_child")?;
    let rights: Vec<i64> = part.list("right_child")?;
    let bounds: Vec<usize> = part.list("cat_boundaries")?;
    let bits: Vec<u32> = part.list("cat_threshold")?;
    let missing = || malformed("a tree lacks a node");
    let set = |at: f64| {
        let at = at as usize;
        let (from, to) = (*bounds.get(at)?, *bounds.get(at.checked_add(1)?)?);
        bits.get(from..to)
    };
    // A leaf is the complement of its number; a tree of one leaf has no branch.
    let root = if leaves <= 1 { -1 } else { 0 };
    forest.plant(root, |forest, id| {
        if id < 0 {
            let weight = *values.get((-(id + 1)) as usize).ok_or_else(missing)?;
            return Ok(Sprout::Leaf(vec![Vote { target, weight }]));
        }
        let at = id as usize;
        let decision = *decisions.get(at).ok_or_else(missing)?;
        let threshold = *thresholds.get(at).ok_or_else(missing)?;
        let (categorical, default_left) = (decision & 1 == 1, decision & 2 == 2);
        // What counts as missing: nothing, zeros or NaN. Where NaN does not, it is a zero.
        let (missing_left, zero_left) = match (categorical, decision >> 2 & 3) {
            (true, _) => (false, None),
            (_, 0) => (0.0 <= threshold, None),
            (_, 1) => (default_left, Some(default_left)),
            (_, 2) => (default_left, None),
            _ => return Err(malformed("a node treats missing values in no known way")),
        };
        Ok(Sprout::Branch(Branch {
            feature: *features.get(at).ok_or_else(missing)?,
            test: if categorical {
                let words = set(threshold).ok_or_else(missing)?;
                Test::In(forest.set(words.iter().copied()))
            } else {
                Test::AtMost
            },
            threshold,
            missing_left,
            zero_left,
            left: *lefts.get(at).ok_or_else(missing)?,
            right: *rights.get(at).ok_or_else(missing)?,
        }))
    })
}

/// The features: those that the file says were of categories have the lists of the last line, in their order.
fn features(names: &[&str], head: &Part<'_>, lines: Lines<'_>) -> Result<Vec<Feature>> {
    let line = lines
        .rev()
        .find_map(|line| line.strip_prefix("pandas_categorical:"));
    let lists: Vec<Vec<Value>> = match line {
        None => Vec::new(),
        Some(text) => serde_json::from_str::<Option<Vec<Vec<Value>>>>(text)
            .map_err(malformed)?
            .unwrap_or_default(),
    };
    let infos: Vec<&str> = head
        .text("feature_infos")
        .unwrap_or_default()
        .split(' ')
        .collect();
    // An interval is written `[low:high]`, categories as `3:1:2`; `none` is a feature that had one value.
    let categorical = |i: usize| infos.get(i).is_some_and(|info| !info.starts_with('['));
    let places: Vec<usize> = (0..names.len()).filter(|i| categorical(*i)).collect();
    let certain = places.len() == lists.len();
    let feature = |(i, name): (usize, &&str)| {
        let list = places
            .iter()
            .position(|p| *p == i)
            .and_then(|p| lists.get(p));
        match list.filter(|_| certain) {
            None => Ok(Feature::number(*name)),
            Some(list) => {
                let known = categories(list);
                let known = known.ok_or_else(|| malformed("categories are texts and numbers"))?;
                Ok(Feature::categorical(*name, known))
            }
        }
    };
    names.iter().enumerate().map(feature).collect()
}

fn categories(list: &[Value]) -> Option<Categories> {
    let numbers: Option<Vec<f64>> = list.iter().map(Value::as_f64).collect();
    let texts = || list.iter().map(|v| v.as_str().map(str::to_owned)).collect();
    match numbers {
        Some(numbers) => Some(Categories::Numbers(numbers)),
        None => Option::<Vec<String>>::map(texts(), Categories::Texts),
    }
}
