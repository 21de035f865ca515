"""Work that is cut into parts: a manifest, a folder that takes the results, and engines that compute them."""
