"""What bench, strain, torture, the desk and the tests share: each helper once."""
