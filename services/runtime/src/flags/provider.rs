//! Our OpenFeature provider: flagd's evaluation engine on the snapshot in force.
//!
//! A provider of our own because the published one caches values for up to a minute, or stops after some hundred updates.

use super::snapshot::{Resolution, Snapshots, failure};
use super::value::struct_from_json;
use async_trait::async_trait;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ResolutionDetails};
use open_feature::{EvaluationContext, EvaluationErrorCode, EvaluationResult, StructValue};
use serde_json::Value;

/// As it appears in telemetry.
pub const PROVIDER_NAME: &str = "feast";

pub struct SnapshotProvider {
    metadata: ProviderMetadata,
    snapshots: Snapshots,
}

impl SnapshotProvider {
    pub fn new(snapshots: Snapshots) -> Self {
        Self { metadata: ProviderMetadata::new(PROVIDER_NAME), snapshots }
    }

    fn resolve<T>(
        &self,
        key: &str,
        context: &EvaluationContext,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> EvaluationResult<ResolutionDetails<T>> {
        let snapshot = self.snapshots.current();
        let Resolution { outcome, reason, .. } = snapshot.resolve(self.snapshots.operator(), key, context)?;
        let Some((variant, value)) = outcome else {
            // The Rust SDK knows no defaults of the caller. An error is what makes callers take their own.
            let code = EvaluationErrorCode::General("no variant".to_owned());
            return Err(failure(code, format!("{key} leaves the value to the caller ({reason})")));
        };
        match read(value) {
            // Metadata is for operators, who have it by `/api/flags`; copying it into every evaluation would cost more than evaluating.
            Some(value) => Ok(ResolutionDetails { value, variant: Some(variant), reason: Some(reason), flag_metadata: None }),
            None => Err(failure(EvaluationErrorCode::TypeMismatch, format!("{key} is of another type"))),
        }
    }
}

#[async_trait]
impl FeatureProvider for SnapshotProvider {
    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    async fn resolve_bool_value(&self, key: &str, context: &EvaluationContext) -> EvaluationResult<ResolutionDetails<bool>> {
        self.resolve(key, context, Value::as_bool)
    }

    async fn resolve_int_value(&self, key: &str, context: &EvaluationContext) -> EvaluationResult<ResolutionDetails<i64>> {
        self.resolve(key, context, Value::as_i64)
    }

    async fn resolve_float_value(&self, key: &str, context: &EvaluationContext) -> EvaluationResult<ResolutionDetails<f64>> {
        self.resolve(key, context, Value::as_f64)
    }

    async fn resolve_string_value(&self, key: &str, context: &EvaluationContext) -> EvaluationResult<ResolutionDetails<String>> {
        self.resolve(key, context, |value| value.as_str().map(str::to_owned))
    }

    async fn resolve_struct_value(&self, key: &str, context: &EvaluationContext) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.resolve(key, context, |value| value.as_object().map(struct_from_json))
    }
}
