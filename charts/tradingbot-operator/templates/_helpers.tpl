{{- define "tradingbot-operator.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tradingbot-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tradingbot-operator.labels" -}}
{{ include "tradingbot-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: tradingbot
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
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
