# SPDX-License-Identifier: MIT
# %% [markdown]
# # transport
# %%
1 + 1
