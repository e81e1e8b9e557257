//! Agents that go on after they were declared lost.
