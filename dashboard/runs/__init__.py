"""Syncs as people follow them: started, watched while they run, and judged afterwards."""
