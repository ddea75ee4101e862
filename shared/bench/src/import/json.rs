//! What `aws cloudwatch get-metric-data` and `get-metric-statistics` print as JSON.

use serde::Deserialize;
use serde_json::Value;
use weir_sim::trace::{TraceFault, quoted};

use super::{Export, Labelled};

/// One export, told by its only key.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Data {
        #[serde(rename = "MetricDataResults")]
        results: Vec<DataResult>,
        #[serde(rename = "NextToken")]
        next_token: Option<Value>,
    },
    Statistics {
        #[serde(rename = "Label")]
        label: Option<String>,
        #[serde(rename = "Datapoints")]
        points: Vec<Datapoint>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataResult {
    #[serde(default)]
    id: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    timestamps: Vec<Value>,
    #[serde(default)]
    values: Vec<f64>,
    status_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    timestamp: Value,
    sum: Option<f64>,
    maximum: Option<f64>,
}

const COMMAND: &str = "export it with aws cloudwatch get-metric-data --output json";
const LABEL: &str = "label each query with its metric: \"Label\": \"IncomingBytes\"";

pub(super) fn read(text: &str, export: &mut Export<'_>) -> Result<(), TraceFault> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or(u64::MAX).max(1);
        export.fault(line, format!("this is not JSON: {error}"), COMMAND)
    })?;
    let document = serde_json::from_value(value).map_err(|_| {
        let message = "this JSON is neither of get-metric-data nor of get-metric-statistics";
        export.fault(1, message, COMMAND)
    })?;
    match document {
        Document::Data { next_token: Some(_), .. } => {
            let fix = "export it without --max-items and --no-paginate";
            Err(export.fault(1, "the export is cut off: it has a NextToken", fix))
        }
        Document::Data { results, .. } => {
            results.iter().try_for_each(|result| data(result, export))
        }
        Document::Statistics { label, points } => {
            statistics(&label.unwrap_or_default(), &points, export)
        }
    }
}

fn data(result: &DataResult, export: &mut Export<'_>) -> Result<(), TraceFault> {
    let named = Labelled::of(&result.label).or_else(|| Labelled::of(&result.id));
    let Some(labelled) = named else {
        let (id, label) = (quoted(&result.id), quoted(&result.label));
        let message = format!("the result {id} with the label {label} names no metric of Weir's");
        return Err(export.fault(1, message, LABEL));
    };
    if let Some(status @ ("InternalError" | "Forbidden")) = result.status_code.as_deref() {
        let message = format!("CloudWatch answered {status} for {}", quoted(&result.label));
        return Err(export.fault(1, message, "export it again"));
    }
    if result.timestamps.len() != result.values.len() {
        let message = format!("{} has not a value for each time", quoted(&result.label));
        return Err(export.fault(1, message, "export it again"));
    }
    for (at, value) in result.timestamps.iter().zip(&result.values) {
        let at = time(at, export)?;
        export.add(&labelled, at, *value, 1)?;
    }
    Ok(())
}

fn statistics(
    label: &str,
    points: &[Datapoint],
    export: &mut Export<'_>,
) -> Result<(), TraceFault> {
    let Some(labelled) = Labelled::of(label) else {
        let message = format!("the label {} names no metric of Weir's", quoted(label));
        let fix = "export IncomingBytes and IncomingRecords, a file each";
        return Err(export.fault(1, message, fix));
    };
    for point in points {
        let at = time(&point.timestamp, export)?;
        let Some(value) = point.sum.or(point.maximum) else {
            let fix = "export it with --statistics Sum";
            return Err(export.fault(1, format!("no Sum at {at}"), fix));
        };
        export.add(&labelled, at, value, 1)?;
    }
    Ok(())
}

fn time(value: &Value, export: &Export<'_>) -> Result<jiff::Timestamp, TraceFault> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    export.time(&text).ok_or_else(|| {
        let message = format!("{} is no time", quoted(&text));
        export.fault(1, message, COMMAND)
    })
}
