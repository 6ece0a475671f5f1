"""Exports of products and orders as CSV and XLSX."""
