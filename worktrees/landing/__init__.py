"""From a reviewed branch to its target: proofs, building, moving the branch, pushing, recovery."""
