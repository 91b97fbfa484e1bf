"""Open Protocol, the integrator's side: headers, results, the session, and what was missed."""
