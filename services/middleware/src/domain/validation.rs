//! Whether an order makes sense before anything is reserved.

use contract::pricing::{LineRequest, ValidateReply, ValidateRequest};
use contract::{ApiError, Code, CustomerName, Quantity};

/// Lines in one order; carts hold fewer.
const MAX_LINES: usize = 50;

pub fn validate(request: &ValidateRequest) -> ValidateReply {
    let problem =
        Quantity::new(request.quantity).map(drop).and_then(|()| CustomerName::parse(&request.customer_name).map(drop)).and_then(|()| {
            let unnamed = request.item_id.as_str().trim().is_empty();
            if unnamed { Err(ApiError::new(Code::InvalidBody, "itemId must not be empty")) } else { Ok(()) }
        });
    match problem {
        Ok(()) => ValidateReply { valid: true, error: None, message: Some("the order is valid".to_owned()) },
        Err(error) => ValidateReply { valid: false, error: Some(error.code.as_str().to_owned()), message: Some(error.message) },
    }
}

/// # Errors
/// `INVALID_BODY` or `INVALID_QUANTITY` for lines no cart of ours can have.
pub fn check_lines(lines: &[LineRequest]) -> Result<(), ApiError> {
    if lines.is_empty() || lines.len() > MAX_LINES {
        return Err(ApiError::new(Code::InvalidBody, format!("an order has 1 to {MAX_LINES} lines")));
    }
    for (at, line) in lines.iter().enumerate() {
        Quantity::new(i64::from(line.quantity))?;
        if lines[..at].iter().any(|other| other.item_id == line.item_id) {
            return Err(ApiError::new(Code::InvalidBody, format!("{} is on two lines", line.item_id)));
        }
    }
    Ok(())
}
