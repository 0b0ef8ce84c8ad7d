//! The body of the cases `body` and `invalid`: twelve fields, the same limits as in every peer.

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    New,
    Paid,
    Shipped,
}

#[derive(Deserialize)]
#[allow(
    dead_code,
    reason = "the fields are read to be validated, and few of them are sent back"
)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) customer: String,
    pub(crate) email: String,
    pub(crate) status: Status,
    pub(crate) currency: String,
    pub(crate) amount: f64,
    pub(crate) quantity: i64,
    pub(crate) paid: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) address: String,
    pub(crate) created: String,
    pub(crate) note: String,
}

#[derive(Serialize)]
pub(crate) struct Receipt {
    pub(crate) id: i64,
    pub(crate) customer: String,
    pub(crate) quantity: i64,
}

#[derive(Serialize)]
pub(crate) struct Fault {
    pub(crate) field: &'static str,
    pub(crate) message: &'static str,
}

impl Order {
    /// What serde's types cannot say: ranges and lengths.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let rules = [
            (self.id >= 1, "id", "must be at least 1"),
            (
                length_within(&self.customer, 1, 80),
                "customer",
                "must have 1 to 80 characters",
            ),
            (
                length_within(&self.email, 3, 120),
                "email",
                "must have 3 to 120 characters",
            ),
            (
                length_within(&self.currency, 3, 3),
                "currency",
                "must have 3 characters",
            ),
            (self.amount > 0.0, "amount", "must be positive"),
            (
                (1..=1000).contains(&self.quantity),
                "quantity",
                "must be between 1 and 1000",
            ),
            (
                length_within(&self.note, 0, 1000),
                "note",
                "must have at most 1000 characters",
            ),
        ];
        rules
            .into_iter()
            .filter(|(holds, _, _)| !holds)
            .map(|(_, field, message)| Fault { field, message })
            .collect()
    }
}

fn length_within(text: &str, least: usize, most: usize) -> bool {
    let length = text.chars().count();
    least <= length && length <= most
}
