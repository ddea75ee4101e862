output "functions" {
  description = "The functions' names, by handler."
  value       = { for handler, function in aws_lambda_function.functions : handler => function.function_name }
}

output "notices_topic" {
  description = "What can wait until the morning. Subscribe to it."
  value       = aws_sns_topic.notices.arn
}

output "pages_topic" {
  description = "What cannot. Subscribe to it."
  value       = aws_sns_topic.pages.arn
}

output "chat_topic" {
  description = "For Amazon Q Developer in chat applications; null without chat_topic."
  value       = one(aws_sns_topic.chat[*].arn)
}

output "ledger_table" {
  description = "The table of plans, actions, budgets and pauses."
  value       = aws_dynamodb_table.ledger.name
}

output "undelivered_events_queue" {
  description = "Events that EventBridge could not hand to Lambda. Empty when all is well."
  value       = aws_sqs_queue.undelivered_events.url
}

output "failed_invocations_queue" {
  description = "Events on which a function failed. Empty when all is well."
  value       = aws_sqs_queue.failed_invocations.url
}

output "dashboard" {
  description = "Streams, actions, incidents and Weir's own health on one page; null in a partition whose console no document names."
  value       = local.console == null ? null : "https://${local.region}.${local.console}/cloudwatch/home?region=${local.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.weir.dashboard_name}"
}
