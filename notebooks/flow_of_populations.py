# SPDX-License-Identifier: MIT
# %% [markdown]
# # flow_of_populations
# %%
1 + 1
