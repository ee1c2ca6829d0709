# SPDX-License-Identifier: MIT
# %% [markdown]
# # predict_and_umap
# %%
1 + 1
