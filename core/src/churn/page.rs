//! The part of a list that is shown, by the ids of users where the list itself makes no difference.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::error::Result;

/// A user's key, and what people know the user by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The key.
    pub user: u32,
    /// The id.
    pub id: String,
    /// Whether it is the id of a device that nobody is known on.
    pub anonymous: bool,
}

/// Finds what people know users by.
pub type Names<'a> = dyn Fn(&[u32]) -> Result<Vec<Named>> + Send + Sync + 'a;

/// The items from `offset` on, at most `limit`, of a list in this order; items it calls equal stand in the order of their users' ids.
/// Only the ids of those shown and of their equals are looked up.
pub(super) fn page<T: Clone + Send>(
    mut items: Vec<T>,
    order: impl Fn(&T, &T) -> Ordering + Sync,
    user: impl Fn(&T) -> u32,
    (offset, limit): (usize, usize),
    names: &Names<'_>,
) -> Result<Vec<(T, Named)>> {
    use rayon::slice::ParallelSliceMut;
    items.par_sort_by(&order);
    let mut skipped = 0;
    let mut shown: Vec<T> = Vec::new();
    let end = offset.saturating_add(limit);
    let mut at = 0;
    for equal in items.chunk_by(|a, b| order(a, b) == Ordering::Equal) {
        if at + equal.len() > offset && at < end {
            if shown.is_empty() {
                skipped = at;
            }
            shown.extend_from_slice(equal);
        }
        at += equal.len();
    }
    let keys: Vec<u32> = shown.iter().map(&user).collect();
    let named = if keys.is_empty() {
        Vec::new()
    } else {
        names(&keys)?
    };
    let mut by_key: HashMap<u32, Named> = named.into_iter().map(|n| (n.user, n)).collect();
    let mut shown: Vec<(T, Named)> = shown
        .into_iter()
        .filter_map(|item| Some((by_key.remove(&user(&item))?, item)))
        .map(|(named, item)| (item, named))
        .collect();
    shown.sort_by(|(a, x), (b, y)| order(a, b).then_with(|| x.id.cmp(&y.id)));
    let skip = offset.saturating_sub(skipped);
    Ok(shown.into_iter().skip(skip).take(limit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_stand_in_the_order_of_ids_whatever_their_keys() {
        // Keys descend where ids ascend.
        let names = |keys: &[u32]| -> Result<Vec<Named>> {
            let named = keys.iter().map(|key| Named {
                user: *key,
                id: format!("u{:03}", 100 - key),
                anonymous: false,
            });
            Ok(named.collect())
        };
        let items: Vec<(u32, u32)> = (0..10).map(|key| (key, key / 4)).collect();
        let shown = |offset, limit| -> Vec<u32> {
            let order = |a: &(u32, u32), b: &(u32, u32)| a.1.cmp(&b.1);
            let page = page(items.clone(), order, |i| i.0, (offset, limit), &names).unwrap();
            page.into_iter().map(|(item, _)| item.0).collect()
        };
        let all = [3, 2, 1, 0, 7, 6, 5, 4, 9, 8];
        assert_eq!(shown(0, 100), all);
        for offset in 0..12 {
            for limit in 0..12 {
                let expected: Vec<u32> = all.iter().skip(offset).take(limit).copied().collect();
                assert_eq!(shown(offset, limit), expected, "{offset} {limit}");
            }
        }
    }
}
