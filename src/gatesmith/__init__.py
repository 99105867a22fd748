"""Trained models of low-complexity hardware in, proven Verilog out."""
