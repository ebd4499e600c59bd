//! Texts that come again and again, kept once.

use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

/// Longer texts are not names.
const LONGEST: usize = 200;

/// What a name costs beside its letters: the shared text's header, its place in the list and in the map (which is half empty at worst).
const OVERHEAD: usize = 16 + size_of::<Arc<str>>() + 2 * (size_of::<(Arc<str>, u32)>() + 1);

/// Names by number. Nothing is ever taken out, so a number stays true; once it is full, what is new is written out instead.
#[derive(Debug)]
pub(crate) struct Names {
    list: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, u32>,
    bytes: usize,
    bound: usize,
}

impl Names {
    pub fn new(bound: usize) -> Self {
        Self { list: Vec::new(), ids: HashMap::new(), bytes: 0, bound }
    }

    /// The number of a name, new or known; `None` when there is no room for it.
    pub fn id(&mut self, name: &Arc<str>) -> Option<u32> {
        if let Some(id) = self.ids.get(name) {
            return Some(*id);
        }
        let bytes = name.len() + OVERHEAD;
        // Doubled: a list that grows holds the old one and the new one for a moment.
        if name.len() > LONGEST || self.bytes + 2 * bytes > self.bound {
            return None;
        }
        let id = u32::try_from(self.list.len()).ok()?;
        self.list.push(name.clone());
        self.ids.insert(name.clone(), id);
        self.bytes += bytes;
        Some(id)
    }

    pub fn get(&self, id: u32) -> Option<&Arc<str>> {
        self.list.get(id as usize)
    }

    /// The one copy of a name, so that others of it can be let go.
    pub fn shared(&mut self, name: &Arc<str>) -> Arc<str> {
        self.id(name).and_then(|id| self.get(id)).unwrap_or(name).clone()
    }

    /// For every name, whether it is wanted.
    pub fn which(&self, wanted: impl Fn(&str) -> bool) -> Vec<bool> {
        self.list.iter().map(|name| wanted(name)).collect()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
