//! Bases from every kind of project, and the user's repository untouched.
