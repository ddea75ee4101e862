# The only memory: without it nobody knows which of the day's calls are used. It outlives the installation; before
# `terraform destroy`, take it out of the state, and import it before the next `apply` (README.md). Encrypted with
# DynamoDB's own key, as every table that says nothing of it, which takes no calls to KMS.
resource "aws_dynamodb_table" "ledger" {
  name                        = "${var.name}-ledger"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = true

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  attribute {
    name = "due"
    type = "S"
  }

  attribute {
    name = "revisit_at"
    type = "S"
  }

  # Only streams' records and incidents carry `due`, each kind its own value, so a tick reads what is due and nothing else.
  global_secondary_index {
    name            = "due-streams"
    hash_key        = "due"
    range_key       = "revisit_at"
    projection_type = "KEYS_ONLY"
  }

  ttl {
    attribute_name = "ttl_epoch_seconds"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  lifecycle {
    prevent_destroy = true
  }
}
