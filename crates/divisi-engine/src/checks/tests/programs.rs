//! What programs end with, and what passed before the work.

use super::*;


