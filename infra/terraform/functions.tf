# The five functions: one artefact, each with its own handler, role and settings.
locals {
  functions = {
    plan-capacity = {
      description     = "Looks at the streams that are due, plans their size, publishes the plan. Changes no stream."
      timeout_seconds = 60
      memory_mib      = 256
      concurrency     = var.plan_capacity_concurrency
      # No stream goes without a look for longer than ten minutes, so an older alarm has nothing to add.
      max_age_seconds = 600
    }
    resize-stream = {
      description = "Carries out one plan with one UpdateShardCount, or says why not."
      # A claim two minutes old is taken for a dead executor's, so no executor may live that long.
      timeout_seconds = 30
      memory_mib      = 128
      concurrency     = var.resize_stream_concurrency
      # Plans expire after five minutes, and the function says so; an event given up would end in the queue.
      max_age_seconds = 3600
    }
    switch-mode = {
      description     = "Carries out one plan with one UpdateStreamMode, or says why not."
      timeout_seconds = 30
      memory_mib      = 128
      concurrency     = var.switch_mode_concurrency
      max_age_seconds = 3600
    }
    sync-alarms = {
      description = "Brings the alarms of every managed stream from what they are to what they should be."
      # CloudWatch takes three alarms a second of an account; Weir writes two, 1,800 in fifteen minutes.
      timeout_seconds = 900
      memory_mib      = 128
      # That limit is the account's: more at a time would be no quicker. The second lets the alarms of a stream that was
      # resized pass a run over all.
      concurrency = 2
      # The hourly run does what an older event asks for.
      max_age_seconds = 3600
    }
    raise-alerts = {
      description = "Makes incidents of alarms and of Weir's own failures, and messages of incidents."
      # A message two minutes old and not struck off is taken for a dead sender's, so no sender may live that long.
      timeout_seconds = 60
      memory_mib      = 256
      # Enough for an alarm to be heard while a tick is at work; more would meet DescribeAlarms' limit.
      concurrency     = 3
      max_age_seconds = 3600
    }
  }
}

resource "aws_lambda_layer_version" "policies" {
  layer_name          = "${var.name}-policies"
  description         = "Weir's policies, in /opt/weir/policies"
  filename            = var.policies_zip
  source_code_hash    = filebase64sha256(var.policies_zip)
  compatible_runtimes = ["provided.al2023"]
  skip_destroy        = true # a rollback needs its own
}

resource "aws_lambda_function" "functions" {
  for_each = local.functions

  function_name                  = "${var.name}-${each.key}"
  description                    = each.value.description
  handler                        = each.key
  runtime                        = "provided.al2023"
  architectures                  = [var.architecture]
  filename                       = var.functions_zip
  source_code_hash               = filebase64sha256(var.functions_zip)
  layers                         = [aws_lambda_layer_version.policies.arn]
  timeout                        = each.value.timeout_seconds
  memory_size                    = each.value.memory_mib
  reserved_concurrent_executions = var.reserve_concurrency ? each.value.concurrency : -1
  role                           = aws_iam_role.functions[each.key].arn

  environment {
    variables = {
      WEIR_LEDGER_TABLE = aws_dynamodb_table.ledger.name
      # CloudWatch sends alarm events to the default bus only; Weir's own stay beside them.
      WEIR_EVENT_BUS     = "default"
      WEIR_POLICY_DIR    = "/opt/weir/policies"
      WEIR_ALARM_PREFIX  = local.alarm_prefix
      WEIR_NOTICES_TOPIC = aws_sns_topic.notices.arn
      WEIR_PAGES_TOPIC   = aws_sns_topic.pages.arn
      WEIR_CHAT_TOPIC    = var.chat_topic ? aws_sns_topic.chat[0].arn : ""
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.functions[each.key].name
  }
}

resource "aws_lambda_function_event_invoke_config" "functions" {
  for_each = local.functions

  function_name                = aws_lambda_function.functions[each.key].function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = each.value.max_age_seconds

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed_invocations.arn
    }
  }

  # Lambda tries the right to send before it takes the destination.
  depends_on = [aws_iam_role_policy.functions]
}

resource "aws_cloudwatch_log_group" "functions" {
  for_each = local.functions

  name              = "/aws/lambda/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
}
