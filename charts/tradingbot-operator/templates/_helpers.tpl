{{- define "tradingbot-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of all objects, of the Lease and of the Deployment: the operator is told it. */}}
{{- define "tradingbot-operator.fullname" -}}
{{- $name := include "tradingbot-operator.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 54 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tradingbot-operator.serviceAccountName" -}}
{{- $own := ternary (include "tradingbot-operator.fullname" .) "default" .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default $own -}}
{{- end -}}

{{- define "tradingbot-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tradingbot-operator.name" . | toYaml }}
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
{{- end -}}

{{/* What tells about an object and selects nothing, but for what an installation adds. */}}
{{- define "tradingbot-operator.ownTellingLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tradingbot
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "tradingbot-operator.tellingLabels" -}}
{{ include "tradingbot-operator.ownTellingLabels" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tradingbot-operator.labels" -}}
{{ include "tradingbot-operator.selectorLabels" . }}
app.kubernetes.io/component: operator
{{ include "tradingbot-operator.tellingLabels" . }}
{{- end -}}

{{/* An image, by its digest if it has one: include "tradingbot-operator.image" (list . .Values.image) */}}
{{- define "tradingbot-operator.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What the operator may do where its bots are. */}}
{{- define "tradingbot-operator.rules" -}}
- apiGroups: [tradingbot.dev]
  resources: [tradingbots]
  # patch is for metadata.finalizers, of bots whose spec.lifecycle.onDelete asks for something.
  verbs: [get, list, watch, patch]
- apiGroups: [tradingbot.dev]
  resources: [tradingbots/status]
  verbs: [patch]
# Owner references that block the owner's deletion ask for this where the admission plugin is on.
- apiGroups: [tradingbot.dev]
  resources: [tradingbots/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, configmaps, persistentvolumeclaims]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
# Pods are made by the StatefulSet; the operator touches an annotation so that a new document arrives at once, and deletes one to heal it.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch, delete]
# Memory and CPU of a running engine are changed in place.
- apiGroups: [""]
  resources: [pods/resize]
  verbs: [patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* Not empty when a token for Prometheus is mounted. */}}
{{- define "tradingbot-operator.prometheusToken" -}}
{{- if and (eq .Values.metrics.source "prometheus") .Values.metrics.prometheus.tokenSecretRef.name -}}true{{- end -}}
{{- end -}}

{{/* The port of Prometheus' address, or that of its scheme. */}}
{{- define "tradingbot-operator.prometheusPort" -}}
{{- $url := urlParse .Values.metrics.prometheus.url -}}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end -}}

{{/* What the operator may do in its own namespace for Prometheus and Grafana. */}}
{{- define "tradingbot-operator.monitoringRules" -}}
{{- $name := include "tradingbot-operator.fullname" . -}}
# The Deployment owns these objects, so that they go with the release.
- apiGroups: [apps]
  resources: [deployments]
  resourceNames: [{{ $name | toYaml }}]
  verbs: [get]
# A name can't be demanded of what is created.
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors, prometheusrules]
  verbs: [create]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  resourceNames: [{{ $name }}-bots, {{ $name }}-operators]
  verbs: [get, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules]
  resourceNames: [{{ $name | toYaml }}]
  verbs: [get, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ $name }}-dashboard-bot, {{ $name }}-dashboard-fleet, {{ $name }}-dashboard-operator]
  verbs: [get, patch, delete]
{{- end -}}
