"""Tests of the repository: who depends on whom, sizes, names, versions, documents."""
