# Which event wakes which function. There is no rule for a plan made in observe mode.
locals {
  # The only ways to a change of a stream.
  executing = ["ResizeStreamReshardPlanned", "SwitchModeSwitchPlanned"]

  rules = {
    PlanCapacityTick = {
      function        = "plan-capacity"
      schedule        = "rate(1 minute)"
      max_age_seconds = 60
      description     = "Weir looks at the streams that are due."
    }
    PlanCapacityAlarmWentOff = {
      function = "plan-capacity"
      pattern = {
        source      = ["aws.cloudwatch"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["CloudWatch Alarm State Change"]
        detail = {
          alarmName = [
            { prefix = "${local.alarm_prefix}surge-" },
            { prefix = "${local.alarm_prefix}throttle-" },
          ]
          state = { value = ["ALARM"] }
        }
      }
      max_age_seconds = 600
    }
    PlanCapacityPlanRequested = {
      function = "plan-capacity"
      pattern = {
        source      = ["weir"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["Weir Operator Request"]
        detail      = { installation = [local.alarm_prefix, { exists = false }], request = ["plan"] }
      }
      max_age_seconds = 600
    }
    ResizeStreamReshardPlanned = {
      function = "resize-stream"
      pattern = {
        source      = ["weir"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["Weir Capacity Planned"]
        detail = {
          installation = [local.alarm_prefix]
          mode         = ["act"]
          action       = { kind = ["reshard"] }
        }
      }
      max_age_seconds = 300
    }
    SwitchModeSwitchPlanned = {
      function = "switch-mode"
      pattern = {
        source      = ["weir"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["Weir Capacity Planned"]
        detail = {
          installation = [local.alarm_prefix]
          mode         = ["act"]
          action       = { kind = ["switch_mode"] }
        }
      }
      max_age_seconds = 300
    }
    SyncAlarmsHourly = {
      function        = "sync-alarms"
      schedule        = "rate(1 hour)"
      max_age_seconds = 3600
      description     = "Weir brings all its alarms in order and finds new streams."
    }
    SyncAlarmsStreamResized = {
      function = "sync-alarms"
      pattern = {
        source      = ["weir"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["Weir Stream Resized"]
        detail      = { installation = [local.alarm_prefix] }
      }
      max_age_seconds = 3600
    }
    SyncAlarmsModeSwitched = {
      function = "sync-alarms"
      pattern = {
        source      = ["weir"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["Weir Mode Switched"]
        detail      = { installation = [local.alarm_prefix] }
      }
      max_age_seconds = 3600
    }
    SyncAlarmsSyncRequested = {
      function = "sync-alarms"
      pattern = {
        source      = ["weir"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["Weir Operator Request"]
        detail      = { installation = [local.alarm_prefix, { exists = false }], request = ["sync_alarms"] }
      }
      max_age_seconds = 3600
    }
    RaiseAlertsTick = {
      function        = "raise-alerts"
      schedule        = "rate(1 minute)"
      max_age_seconds = 60
      description     = "Weir reads what its alarms say, and looks at open incidents."
    }
    RaiseAlertsConsumerAlarm = {
      function = "raise-alerts"
      pattern = {
        source      = ["aws.cloudwatch"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["CloudWatch Alarm State Change"]
        detail = {
          alarmName = [
            { prefix = "${local.alarm_prefix}lag-" },
            { prefix = "${local.alarm_prefix}silence-" },
            { prefix = "${local.alarm_prefix}errors-" },
            { prefix = "${local.alarm_prefix}throttles-" },
            { prefix = "${local.alarm_prefix}delivery-" },
            { prefix = "${local.alarm_prefix}dropped-" },
            { prefix = "${local.alarm_prefix}unwatched-" },
            { prefix = "${local.alarm_prefix}self-" },
          ]
          state = { value = ["ALARM", "OK"] }
        }
      }
      max_age_seconds = 3600
    }
    RaiseAlertsOwnFailure = {
      function = "raise-alerts"
      pattern = {
        source      = ["weir"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["Weir Action Refused", "Weir Action Failed"]
        detail      = { installation = [local.alarm_prefix] }
      }
      max_age_seconds = 3600
    }
    RaiseAlertsPlanned = {
      function = "raise-alerts"
      pattern = {
        source      = ["weir"]
        account     = [local.account]
        region      = [local.region]
        detail-type = ["Weir Capacity Planned"]
        detail      = { installation = [local.alarm_prefix], mode = ["act"] }
      }
      max_age_seconds = 3600
    }
  }
}

resource "aws_cloudwatch_event_rule" "events" {
  for_each = local.rules

  name                = "${var.name}-${each.key}"
  description         = try(each.value.description, null)
  schedule_expression = try(each.value.schedule, null)
  event_pattern       = try(jsonencode(each.value.pattern), null)
  state               = contains(local.executing, each.key) && !var.executors_enabled ? "DISABLED" : "ENABLED"
}

resource "aws_cloudwatch_event_target" "events" {
  for_each = local.rules

  rule = aws_cloudwatch_event_rule.events[each.key].name
  arn  = aws_lambda_function.functions[each.value.function].arn

  retry_policy {
    maximum_event_age_in_seconds = each.value.max_age_seconds
    maximum_retry_attempts       = 185 # EventBridge's own number
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered_events.arn
  }
}

resource "aws_lambda_permission" "events" {
  for_each = local.rules

  function_name  = aws_lambda_function.functions[each.value.function].function_name
  action         = "lambda:InvokeFunction"
  principal      = "events.amazonaws.com"
  source_arn     = aws_cloudwatch_event_rule.events[each.key].arn
  source_account = local.account
}

# New policies ask for other alarms, and a new installation knows no stream yet: neither waits for the hour.
# CloudFormation tells EventBridge when a deployment is done; Terraform does not, so it calls.
resource "aws_lambda_invocation" "deployed" {
  function_name = aws_lambda_function.functions["sync-alarms"].function_name
  triggers = {
    functions = aws_lambda_function.functions["sync-alarms"].source_code_hash
    policies  = aws_lambda_layer_version.policies.arn
    prefix    = local.alarm_prefix
  }
  input = jsonencode({
    source      = "weir"
    detail-type = "Weir Operator Request"
    detail      = { version = 1, request = "sync_alarms" }
  })

  depends_on = [aws_iam_role_policy.functions]
}
