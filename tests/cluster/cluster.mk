# Included by the Makefile at the root. All the work is in cluster.py.

CLUSTER := $(SYSTEM_PYTHON) tests/cluster/cluster.py

##-- the test cluster

.PHONY: cluster-up
cluster-up: ## a real Kubernetes of two nodes; builds what is missing, at once if it is up
	@$(CLUSTER) up

.PHONY: cluster-down
cluster-down: ## delete the cluster and stop what cluster-up started
	@$(CLUSTER) down

.PHONY: cluster-status
cluster-status: ## what is running, and where
	@$(CLUSTER) status

.PHONY: cluster-env
cluster-env: ## lines for a shell: eval "$$(make -s cluster-env)"
	@$(CLUSTER) env

.PHONY: images
images: $(UV) ## build the operator's and the engine's image (IMAGE_TAG=dev)
	@$(CLUSTER) images

.PHONY: cluster-load
cluster-load: $(UV) ## build the images and put them into the cluster's nodes
	@$(CLUSTER) load
