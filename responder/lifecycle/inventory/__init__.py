"""Every secret there is: the matrix of owner, store, classification, rotation and consumers."""
