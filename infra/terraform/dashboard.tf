# The page of infra/template.yaml: dashboard.json.tftpl is generated from it.
resource "aws_cloudwatch_dashboard" "weir" {
  dashboard_name = "${var.name}-${local.region}"
  dashboard_body = templatefile("${path.module}/dashboard.json.tftpl", {
    Region                      = local.region
    TickMissing_Arn             = aws_cloudwatch_metric_alarm.tick_missing.arn
    DeadLetters_Arn             = aws_cloudwatch_metric_alarm.dead_letters.arn
    PlanCapacity                = aws_lambda_function.functions["plan-capacity"].function_name
    ResizeStream                = aws_lambda_function.functions["resize-stream"].function_name
    SwitchMode                  = aws_lambda_function.functions["switch-mode"].function_name
    SyncAlarms                  = aws_lambda_function.functions["sync-alarms"].function_name
    RaiseAlerts                 = aws_lambda_function.functions["raise-alerts"].function_name
    PlanCapacityLogs            = aws_cloudwatch_log_group.functions["plan-capacity"].name
    ResizeStreamLogs            = aws_cloudwatch_log_group.functions["resize-stream"].name
    SwitchModeLogs              = aws_cloudwatch_log_group.functions["switch-mode"].name
    SyncAlarmsLogs              = aws_cloudwatch_log_group.functions["sync-alarms"].name
    RaiseAlertsLogs             = aws_cloudwatch_log_group.functions["raise-alerts"].name
    UndeliveredEvents_QueueName = aws_sqs_queue.undelivered_events.name
    FailedInvocations_QueueName = aws_sqs_queue.failed_invocations.name
  })
}
