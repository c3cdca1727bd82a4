"""Requests that are awaited. What waits without `await`, `ktl._sync`, is made of this."""
