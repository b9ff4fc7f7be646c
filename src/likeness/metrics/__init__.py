"""Verification metrics (ISO/IEC 19795-1) with numpy alone, for training, evaluation and the gate."""
