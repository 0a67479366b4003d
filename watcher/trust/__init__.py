"""What phones trust: a model of a cluster and its phones on which every plan is executed."""
