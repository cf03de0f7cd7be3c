"""What the words of the field mean."""

import streamlit as st

from facecore.model import glossary_page
from ui.navigation import enter_page

enter_page()
st.title("Glossary")
_, _, words = glossary_page().partition("\n")
with st.container(width=760):
    st.markdown(words)
