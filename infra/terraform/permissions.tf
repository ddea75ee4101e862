# What each function may do: the calls its loop makes and no others. Only resize-stream and switch-mode may change a
# stream, each by its one call. "*" stands where IAM knows no narrower resource. Nothing may delete from the ledger.
# A call to PutEvents has as many sources as entries, so IAM compares a set: each must be Weir's, and there must be one.
locals {
  # The provider takes the ":*" off a log group's ARN; but who writes a log writes to the group's streams.
  logs = { for function, group in aws_cloudwatch_log_group.functions : function => "${group.arn}:*" }

  grants = {
    plan-capacity = [
      {
        Sid      = "LookAtStreams"
        Action   = "kinesis:DescribeStreamSummary"
        Resource = "arn:${local.partition}:kinesis:${local.region}:${local.account}:stream/*"
      },
      {
        Sid      = "LookAtAccount"
        Action   = ["kinesis:ListStreams", "kinesis:DescribeLimits", "cloudwatch:GetMetricData"]
        Resource = "*"
      },
      {
        Sid      = "Remember"
        Action   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        Resource = aws_dynamodb_table.ledger.arn
      },
      {
        Sid      = "FindStreams"
        Action   = "dynamodb:Query"
        Resource = "${aws_dynamodb_table.ledger.arn}/index/due-streams"
      },
      {
        Sid      = "PublishAsWeir"
        Action   = "events:PutEvents"
        Resource = "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/default"
        Condition = {
          "ForAllValues:StringEquals" = { "events:source" = "weir" }
          Null                        = { "events:source" = "false" }
        }
      },
      {
        Sid      = "Log"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = local.logs["plan-capacity"]
      },
      {
        Sid      = "KeepFailures"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.failed_invocations.arn
      },
    ]
    resize-stream = [
      {
        Sid      = "LookAtStreams"
        Action   = "kinesis:DescribeStreamSummary"
        Resource = "arn:${local.partition}:kinesis:${local.region}:${local.account}:stream/*"
      },
      {
        Sid      = "Resize"
        Action   = "kinesis:UpdateShardCount"
        Resource = "arn:${local.partition}:kinesis:${local.region}:${local.account}:stream/${var.resizable_streams}"
      },
      {
        Sid = "Remember"
        Action = [
          "dynamodb:GetItem",
          "dynamodb:Query",
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
          "dynamodb:ConditionCheckItem",
        ]
        Resource = aws_dynamodb_table.ledger.arn
      },
      {
        Sid      = "PublishAsWeir"
        Action   = "events:PutEvents"
        Resource = "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/default"
        Condition = {
          "ForAllValues:StringEquals" = { "events:source" = "weir" }
          Null                        = { "events:source" = "false" }
        }
      },
      {
        Sid      = "Log"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = local.logs["resize-stream"]
      },
      {
        Sid      = "KeepFailures"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.failed_invocations.arn
      },
    ]
    switch-mode = [
      {
        Sid      = "LookAtStreams"
        Action   = "kinesis:DescribeStreamSummary"
        Resource = "arn:${local.partition}:kinesis:${local.region}:${local.account}:stream/*"
      },
      {
        Sid      = "Switch"
        Action   = "kinesis:UpdateStreamMode"
        Resource = "arn:${local.partition}:kinesis:${local.region}:${local.account}:stream/${var.resizable_streams}"
      },
      {
        Sid = "Remember"
        Action = [
          "dynamodb:GetItem",
          "dynamodb:Query",
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
          "dynamodb:ConditionCheckItem",
        ]
        Resource = aws_dynamodb_table.ledger.arn
      },
      {
        Sid      = "PublishAsWeir"
        Action   = "events:PutEvents"
        Resource = "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/default"
        Condition = {
          "ForAllValues:StringEquals" = { "events:source" = "weir" }
          Null                        = { "events:source" = "false" }
        }
      },
      {
        Sid      = "Log"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = local.logs["switch-mode"]
      },
      {
        Sid      = "KeepFailures"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.failed_invocations.arn
      },
    ]
    sync-alarms = [
      {
        Sid      = "LookAtStreams"
        Action   = "kinesis:DescribeStreamSummary"
        Resource = "arn:${local.partition}:kinesis:${local.region}:${local.account}:stream/*"
      },
      {
        Sid = "LookAtAccount"
        Action = [
          "kinesis:ListStreams", "lambda:ListEventSourceMappings", "firehose:ListDeliveryStreams",
          "cloudwatch:ListMetrics"
        ]
        Resource = "*"
      },
      {
        Sid    = "FindConsumers"
        Action = ["kinesis:ListStreamConsumers", "firehose:DescribeDeliveryStream"]
        Resource = [
          "arn:${local.partition}:kinesis:${local.region}:${local.account}:stream/*",
          "arn:${local.partition}:firehose:${local.region}:${local.account}:deliverystream/*",
        ]
      },
      {
        Sid      = "ReadAlarms"
        Action   = "cloudwatch:DescribeAlarms"
        Resource = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:*"
      },
      {
        Sid = "WriteOwnAlarms"
        Action = [
          "cloudwatch:PutMetricAlarm",
          "cloudwatch:SetAlarmState",
          "cloudwatch:DeleteAlarms",
          "cloudwatch:TagResource",
        ]
        Resource = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${local.alarm_prefix}*"
      },
      {
        Sid      = "Remember"
        Action   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        Resource = aws_dynamodb_table.ledger.arn
      },
      {
        Sid      = "FindStreams"
        Action   = "dynamodb:Query"
        Resource = "${aws_dynamodb_table.ledger.arn}/index/due-streams"
      },
      # What a run had no time left for it asks of the next.
      {
        Sid      = "PublishAsWeir"
        Action   = "events:PutEvents"
        Resource = "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/default"
        Condition = {
          "ForAllValues:StringEquals" = { "events:source" = "weir" }
          Null                        = { "events:source" = "false" }
        }
      },
      {
        Sid      = "Log"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = local.logs["sync-alarms"]
      },
      {
        Sid      = "KeepFailures"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.failed_invocations.arn
      },
    ]
    raise-alerts = [
      {
        Sid      = "LookAtStreams"
        Action   = "kinesis:DescribeStreamSummary"
        Resource = "arn:${local.partition}:kinesis:${local.region}:${local.account}:stream/*"
      },
      {
        Sid      = "LookAtAccount"
        Action   = ["cloudwatch:GetMetricData", "lambda:ListEventSourceMappings"]
        Resource = "*"
      },
      {
        Sid      = "ReadAlarms"
        Action   = "cloudwatch:DescribeAlarms"
        Resource = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:*"
      },
      {
        Sid      = "Remember"
        Action   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"]
        Resource = aws_dynamodb_table.ledger.arn
      },
      {
        Sid      = "FindIncidents"
        Action   = "dynamodb:Query"
        Resource = "${aws_dynamodb_table.ledger.arn}/index/due-streams"
      },
      {
        Sid      = "Tell"
        Action   = "sns:Publish"
        Resource = concat([aws_sns_topic.notices.arn, aws_sns_topic.pages.arn], aws_sns_topic.chat[*].arn)
      },
      {
        Sid      = "EncryptWhatIsTold"
        Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource = aws_kms_key.alerts.arn
      },
      {
        Sid      = "Log"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = local.logs["raise-alerts"]
      },
      {
        Sid      = "KeepFailures"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.failed_invocations.arn
      },
    ]
  }
}

resource "aws_iam_role" "functions" {
  for_each = local.grants

  name_prefix = "${var.name}-${each.key}-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "functions" {
  for_each = local.grants

  name = each.key
  role = aws_iam_role.functions[each.key].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for grant in each.value : merge({ Effect = "Allow" }, grant)]
  })
}
