//! Conditional writes of one item.
//!
//! In an expression every attribute is written `#name`, because DynamoDB reserves hundreds of
//! words; the table of names is made from the expression itself, so that the two cannot disagree.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use weir_control::ports::PortResult;

use super::Item;
use crate::Aws;
use crate::errors::Call;

pub(super) const UPDATE_ITEM: Call = Call::change("UpdateItem");

/// An update, made only if its condition holds.
#[derive(Debug)]
pub(super) struct Update<'a> {
    pub(super) key: Item,
    pub(super) update: &'a str,
    pub(super) condition: &'a str,
    pub(super) values: Vec<(&'static str, AttributeValue)>,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Written {
    /// It was made.
    Done,
    /// The condition does not hold; the item as it is, empty where there is none.
    Not(Item),
}

impl Aws {
    pub(super) async fn update(&self, update: Update<'_>) -> PortResult<Written> {
        let Update { key, update, condition, values } = update;
        let answer = self
            .clients
            .dynamodb()
            .update_item()
            .table_name(&self.settings.ledger_table)
            .set_key(Some(key))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names(&[update, condition])))
            .set_expression_attribute_values(given(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Written::Done),
            Err(SdkError::ServiceError(refused))
                if refused.err().is_conditional_check_failed_exception() =>
            {
                match refused.into_err() {
                    UpdateItemError::ConditionalCheckFailedException(failed) => {
                        Ok(Written::Not(failed.item.unwrap_or_default()))
                    }
                    _ => Ok(Written::Not(Item::new())),
                }
            }
            Err(error) => Err(UPDATE_ITEM.failed(error)),
        }
    }
}

/// DynamoDB takes no empty table of values.
pub(super) fn given(
    values: Vec<(&'static str, AttributeValue)>,
) -> Option<HashMap<String, AttributeValue>> {
    let values: HashMap<_, _> =
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    (!values.is_empty()).then_some(values)
}

/// `#name` → `name` for every attribute of the expressions.
pub(super) fn names(expressions: &[&str]) -> HashMap<String, String> {
    expressions
        .iter()
        .flat_map(|expression| expression.split('#').skip(1))
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
        .map(|name| (format!("#{name}"), name.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_expressions() {
        let mut names: Vec<_> = names(&[
            "SET #version = :next REMOVE #due",
            "#version = :from AND attribute_exists(#pk)",
        ])
        .into_iter()
        .collect();
        names.sort();
        let pair = |name: &str| (format!("#{name}"), name.to_owned());
        assert_eq!(names, [pair("due"), pair("pk"), pair("version")]);
    }
}
