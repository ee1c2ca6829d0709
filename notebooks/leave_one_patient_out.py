# SPDX-License-Identifier: MIT
# %% [markdown]
# # leave_one_patient_out
# %%
1 + 1
