"""The dashboard: `streamlit run dashboard.py` draws the frame, then the page of the address."""

from ui.navigation import run_dashboard

run_dashboard()
