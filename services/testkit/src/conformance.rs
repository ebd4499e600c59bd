//! One suite, every implementation: each fact is one test a backend, named `backend::fact`.

/// Makes a test of every fact for every backend. A backend is a module name and an async function that starts what the facts are
/// given; a fact is an async function that takes it. A fact that is not listed is dead code, and so not overlooked.
///
/// ```text
/// testkit::conformance! {
///     backends { memory: Carts::in_memory, redis: Carts::in_redis }
///     facts in carts { an_expired_cart_is_not_found, a_deleted_cart_is_gone }
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    (backends { $($backend:ident: $start:path),+ $(,)? } facts in $module:ident $facts:tt) => {
        $(
            mod $backend {
                use super::*;
                $crate::conformance!(@one $start, $module, $facts);
            }
        )+
    };
    (@one $start:path, $module:ident, { $($fact:ident),+ $(,)? }) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fact() {
                $module::$fact($start().await).await;
            }
        )+
    };
}
