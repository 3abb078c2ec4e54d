{{- define "maintenance.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 40 characters leave room for the longest suffix within the 63 of a label. */}}
{{- define "maintenance.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "maintenance.worker" -}}{{ include "maintenance.fullname" . }}-worker{{- end -}}
{{- define "maintenance.webHost" -}}{{ include "maintenance.fullname" . }}-web-host{{- end -}}
{{- define "maintenance.trialRedis" -}}{{ include "maintenance.fullname" . }}-trial-redis{{- end -}}

{{/* Labels by which pods are selected: they never change in an upgrade. Takes root and component. */}}
{{- define "maintenance.selector" -}}
app.kubernetes.io/name: {{ include "maintenance.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "maintenance.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "maintenance.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: maintenance
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Metadata of an object. Takes root, component, name, and annotations or labels of its own. */}}
{{- define "maintenance.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "maintenance.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "maintenance.serviceAccount" -}}
{{- if .values.serviceAccount.create -}}
{{- default .name .values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A digest names exactly one image; a tag only whatever it names today. Takes root and image. */}}
{{- define "maintenance.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "maintenance.redisHost" -}}
{{- if .Values.trialRedis.enabled -}}{{ include "maintenance.trialRedis" . }}{{- else -}}{{ .Values.redis.host }}{{- end -}}
{{- end -}}

{{- define "maintenance.redisPort" -}}
{{- if .Values.trialRedis.enabled -}}6379{{- else -}}{{ .Values.redis.port | int }}{{- end -}}
{{- end -}}

{{- define "maintenance.hasPostgres" -}}
{{- if and .Values.postgresql.existingSecret (or .Values.postgresql.host .Values.postgresql.existingSecretKeys.connectionString) -}}true{{- end -}}
{{- end -}}

{{- define "maintenance.usesPostgres" -}}
{{- if or (eq .component "web-host") .root.Values.postgresql.archive -}}true{{- end -}}
{{- end -}}
