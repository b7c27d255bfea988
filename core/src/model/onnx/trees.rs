//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor`.

use std::collections::HashMap;

use super::super::boosted::greatest;
use super::super::forest::{Branch, Forest, Sprout, Test, Vote};
use super::super::limit::{MOST_FEATURES, malformed, too_large, unsupported};
use super::attributes::Attributes;
use super::graph::Run;
use super::ml::{Post, classes, told};
use super::tensor::{Data, Kind, Tensor, count, shapes};
use crate::error::Result;

/// Trees, and what the sums begin at.
struct Ensemble {
    forest: Forest,
    base: Vec<f64>,
    targets: usize,
    /// The features looked at: rows must have so many.
    width: usize,
}

/// The numbers by which nodes are known: tree and node.
type Id = (i64, i64);

fn read(attributes: &Attributes<'_>, prefix: &str, targets: usize) -> Result<Ensemble> {
    let trees = attributes.integers("nodes_treeids");
    let ids = attributes.integers("nodes_nodeids");
    let features = attributes.integers("nodes_featureids");
    let modes = attributes.texts("nodes_modes");
    let values = attributes.floats("nodes_values")?;
    let yes = attributes.integers("nodes_truenodeids");
    let no = attributes.integers("nodes_falsenodeids");
    let missing = attributes.integers("nodes_missing_value_tracks_true");
    let n = ids.len();
    let whole = [
        trees.len(),
        features.len(),
        modes.len(),
        values.len(),
        yes.len(),
        no.len(),
    ];
    if whole.iter().any(|length| *length != n) || !missing.is_empty() && missing.len() != n {
        return Err(malformed("the lists of nodes are not of one length"));
    }
    let place = |tree: &i64, node: &i64| (*tree, *node);
    let places: HashMap<Id, usize> = trees
        .iter()
        .zip(&ids)
        .enumerate()
        .map(|(i, (t, n))| (place(t, n), i))
        .collect();
    if places.len() != n {
        return Err(malformed("two nodes have one id"));
    }
    let votes = votes(attributes, prefix)?;
    let lost = || malformed("a tree lacks a node");
    let mut forest = Forest::default();
    for (i, tree) in trees.iter().enumerate() {
        // The first node of each tree is its root.
        if i > 0 && trees.get(i - 1) == Some(tree) {
            continue;
        }
        let root = *ids.get(i).ok_or_else(lost)?;
        forest.plant(root, |_, id| {
            let at = *places.get(&(*tree, id)).ok_or_else(lost)?;
            let test = match modes.get(at).map(String::as_str).ok_or_else(lost)? {
                "LEAF" => {
                    let own = votes.get(&(*tree, id));
                    return Ok(Sprout::Leaf(own.cloned().unwrap_or_default()));
                }
                "BRANCH_LEQ" => Test::AtMost,
                "BRANCH_LT" => Test::Less,
                "BRANCH_GTE" => Test::AtLeast,
                "BRANCH_GT" => Test::More,
                "BRANCH_EQ" => Test::Equal,
                "BRANCH_NEQ" => Test::Unequal,
                other => return Err(unsupported(format!("tree nodes of the mode `{other}`"))),
            };
            let feature = features.get(at).and_then(|f| u32::try_from(*f).ok());
            let feature = feature.filter(|f| (*f as usize) < MOST_FEATURES);
            Ok(Sprout::Branch(Branch {
                feature: feature.ok_or_else(|| malformed("a tree looks at no feature"))?,
                test,
                threshold: *values.get(at).ok_or_else(lost)?,
                // Comparisons with NaN fail, but that it is another number.
                missing_left: missing.get(at) == Some(&1) || test == Test::Unequal,
                zero_left: None,
                left: *yes.get(at).ok_or_else(lost)?,
                right: *no.get(at).ok_or_else(lost)?,
            }))
        })?;
    }
    let (feature, target) = forest.reach();
    if target.is_some_and(|t| t as usize >= targets) {
        return Err(malformed("a leaf votes for a class that is not there"));
    }
    Ok(Ensemble {
        forest,
        base: attributes.floats("base_values")?,
        targets,
        width: feature.map_or(0, |f| f as usize + 1),
    })
}

/// The votes of leaves, by tree and node.
fn votes(attributes: &Attributes<'_>, prefix: &str) -> Result<HashMap<Id, Vec<Vote>>> {
    let list = |name: &str| attributes.integers(&format!("{prefix}_{name}"));
    let (trees, nodes, targets) = (list("treeids"), list("nodeids"), list("ids"));
    let weights = attributes.floats(&format!("{prefix}_weights"))?;
    if [trees.len(), nodes.len(), targets.len()]
        .iter()
        .any(|n| *n != weights.len())
    {
        return Err(malformed("the lists of leaves are not of one length"));
    }
    let mut votes: HashMap<Id, Vec<Vote>> = HashMap::new();
    for (((tree, node), target), weight) in trees.iter().zip(&nodes).zip(&targets).zip(weights) {
        let target = u32::try_from(*target).map_err(|_| malformed("a class is negative"))?;
        votes
            .entry((*tree, *node))
            .or_default()
            .push(Vote { target, weight });
    }
    Ok(votes)
}

impl Ensemble {
    /// Gives each row's votes, tree by tree, to `each`.
    fn over(
        &self,
        x: &Tensor,
        mut each: impl FnMut(&mut dyn Iterator<Item = &[Vote]>),
    ) -> Result<()> {
        let (_, width) = x.table();
        if width < self.width {
            return Err(shapes("TreeEnsemble"));
        }
        // Rows of 32 bits are compared as such; those of 64 bits as they are.
        for row in x.values()?.chunks_exact(width.max(1)) {
            each(&mut self.forest.votes(row));
        }
        Ok(())
    }

    fn base(&self, target: usize) -> f64 {
        self.base.get(target).copied().unwrap_or_default()
    }
}

/// How votes for a target become its score.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Average,
    Least,
    Most,
}

pub(super) fn regressor(attributes: &Attributes<'_>) -> Result<Run> {
    let targets = usize::try_from(attributes.integer("n_targets", 1))
        .unwrap_or(1)
        .max(1);
    if targets > MOST_FEATURES {
        return Err(too_large(format!(
            "it has more than {MOST_FEATURES} targets"
        )));
    }
    let aggregate = match attributes.text("aggregate_function", "SUM")? {
        "SUM" => Aggregate::Sum,
        "AVERAGE" => Aggregate::Average,
        "MIN" => Aggregate::Least,
        "MAX" => Aggregate::Most,
        other => return Err(unsupported(format!("the aggregation `{other}`"))),
    };
    let ensemble = read(attributes, "target", targets)?;
    let post = Post::read(attributes)?;
    Ok(Box::new(move |given, budget| {
        let x = given.at(0)?;
        let (rows, _) = x.table();
        budget.values(count(&[rows, targets])?)?;
        let mut made = Vec::with_capacity(rows * targets);
        ensemble.over(x, |trees| {
            let begin = match aggregate {
                Aggregate::Sum | Aggregate::Average => 0.0,
                Aggregate::Least => f64::INFINITY,
                Aggregate::Most => f64::NEG_INFINITY,
            };
            let mut sums = vec![begin; targets];
            for vote in trees.flatten() {
                if let Some(sum) = sums.get_mut(vote.target as usize) {
                    *sum = match aggregate {
                        Aggregate::Sum | Aggregate::Average => *sum + vote.weight,
                        Aggregate::Least => sum.min(vote.weight),
                        Aggregate::Most => sum.max(vote.weight),
                    };
                }
            }
            for (i, sum) in sums.iter_mut().enumerate() {
                if aggregate == Aggregate::Average {
                    *sum /= ensemble.forest.len().max(1) as f64;
                }
                *sum += ensemble.base(i);
            }
            post.apply(&mut sums);
            made.extend(sums);
        })?;
        let rows = made.len() / targets;
        Ok(vec![Tensor::numbers(
            Kind::Single,
            vec![rows, targets],
            made,
        )])
    }))
}

pub(super) fn classifier(attributes: &Attributes<'_>) -> Result<Run> {
    let classes = classes(attributes);
    let n = match &classes {
        Data::Numbers(values) => values.len(),
        Data::Texts(values) => values.len(),
    };
    if n == 0 {
        return Err(malformed("a `TreeEnsembleClassifier` has no classes"));
    }
    let ensemble = read(attributes, "class", n)?;
    let post = Post::read(attributes)?;
    let voted = attributes.integers("class_ids");
    let weights = attributes.floats("class_weights")?;
    // Two classes may be told by the votes for one of them.
    let single = n == 2 && voted.windows(2).all(|pair| pair.first() == pair.last());
    let positive = weights.iter().all(|w| *w >= 0.0);
    Ok(Box::new(move |given, budget| {
        let x = given.at(0)?;
        let (rows, _) = x.table();
        budget.values(count(&[rows, n])?)?;
        let mut scores = Vec::with_capacity(rows * n);
        let mut places = Vec::with_capacity(rows);
        ensemble.over(x, |trees| {
            let mut sums = vec![0.0; ensemble.targets];
            for vote in trees.flatten() {
                if let Some(sum) = sums.get_mut(vote.target as usize) {
                    *sum += vote.weight;
                }
            }
            if single {
                let sum =
                    sums.iter().sum::<f64>() + ensemble.base.last().copied().unwrap_or_default();
                let (first, second) = match (positive, post) {
                    (true, Post::Nothing) => (1.0 - sum, sum),
                    _ => (-sum, sum),
                };
                places.push(usize::from(sum > if positive { 0.5 } else { 0.0 }));
                sums = vec![first, second];
            } else {
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum += ensemble.base(i);
                }
                places.push(greatest(&sums));
            }
            post.apply(&mut sums);
            scores.extend(sums);
        })?;
        let shape = vec![places.len(), n];
        Ok(vec![
            told(&classes, &places)?,
            Tensor::numbers(Kind::Single, shape, scores),
        ])
    }))
}
