//! Every evaluation leaves a trace: OpenTelemetry's `feature_flag.evaluation` event and a count.

use async_trait::async_trait;
use open_feature::{EvaluationContext, EvaluationDetails, EvaluationError, EvaluationReason, Hook, HookContext, HookHints, Value};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Meter};

/// Attribute names are those of OpenTelemetry's semantic conventions for feature flags in events.
pub struct EvaluationHook {
    evaluations: Counter<u64>,
}

impl EvaluationHook {
    pub fn new(meter: &Meter) -> Self {
        let evaluations =
            meter.u64_counter("feature_flag.evaluations").with_description("Evaluations of flags that may be on").with_unit("{evaluation}");
        Self { evaluations: evaluations.build() }
    }

    fn record(&self, context: &HookContext<'_>, variant: &str, reason: &EvaluationReason) {
        let (key, reason) = (context.flag_key, reason.to_string().to_ascii_lowercase());
        // Without a message: a span's event is named by its message, if it has one, and this name is the convention's.
        tracing::event!(
            name: "feature_flag.evaluation",
            target: "feature_flag",
            tracing::Level::INFO,
            feature_flag.key = key,
            feature_flag.result.variant = variant,
            feature_flag.result.reason = reason,
            feature_flag.provider.name = context.provider_metadata.name.as_str(),
            feature_flag.context.id = context.evaluation_context.targeting_key.as_deref(),
        );
        self.evaluations.add(
            1,
            &[
                KeyValue::new("feature_flag.key", key.to_owned()),
                KeyValue::new("feature_flag.result.variant", variant.to_owned()),
                KeyValue::new("feature_flag.result.reason", reason),
            ],
        );
    }
}

#[async_trait]
impl Hook for EvaluationHook {
    async fn before<'a>(&self, _: &HookContext<'a>, _: Option<&'a HookHints>) -> Result<Option<EvaluationContext>, EvaluationError> {
        Ok(None)
    }

    async fn after<'a>(
        &self,
        context: &HookContext<'a>,
        details: &EvaluationDetails<Value>,
        _: Option<&'a HookHints>,
    ) -> Result<(), EvaluationError> {
        let unknown = EvaluationReason::Unknown;
        self.record(context, details.variant.as_deref().unwrap_or_default(), details.reason.as_ref().unwrap_or(&unknown));
        Ok(())
    }

    async fn error<'a>(&self, context: &HookContext<'a>, error: &EvaluationError, _: Option<&'a HookHints>) {
        tracing::debug!(flag = context.flag_key, code = %error.code, message = error.message.as_deref(), "A flag could not be evaluated; it is off");
        self.record(context, super::definitions::OFF, &EvaluationReason::Error);
    }

    async fn finally<'a>(&self, _: &HookContext<'a>, _: &EvaluationDetails<Value>, _: Option<&'a HookHints>) {}
}
