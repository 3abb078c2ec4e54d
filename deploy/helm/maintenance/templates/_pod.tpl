{{/* What every pod of ours has, whatever it runs. */}}
{{- define "maintenance.podBase" -}}
enableServiceLinks: false
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1654
  runAsGroup: 1654
  fsGroup: 1654
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "maintenance.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "maintenance.topologySpread" -}}
{{- if .values.topologySpread.enabled -}}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $.values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "maintenance.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end -}}

{{/* Liveness never asks Redis: a restart mends no Redis. */}}
{{- define "maintenance.probes" -}}
startupProbe:
  httpGet: {path: /healthz/startup, port: management}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 45
livenessProbe:
  httpGet: {path: /healthz/live, port: management}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /healthz/ready, port: management}
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}

{{- define "maintenance.podMetadata" -}}
labels:
  {{- include "maintenance.labels" . | nindent 2 }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  checksum/settings: {{ include "maintenance.settingsFile" . | sha256sum }}
  {{- with merge (dict) .values.podAnnotations .root.Values.commonAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The same of a migration, which reads no settings file. */}}
{{- define "maintenance.migrationPodMetadata" -}}
labels:
  {{- include "maintenance.labels" . | nindent 2 }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) .values.podAnnotations .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A migration has room to write, the authorities of PostgreSQL, and the volumes of its program's values. */}}
{{- define "maintenance.migrationVolumes" -}}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- include "maintenance.postgresCertificateVolume" . }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A mount of a volume that only the Deployment has (settings, data, redis-tls) is left out: with it the Job would be refused. */}}
{{- define "maintenance.migrationVolumeMounts" -}}
{{- $volumes := list "tmp" }}
{{- if .root.Values.postgresql.tls.existingSecret }}
{{- $volumes = append $volumes "postgresql-tls" }}
{{- end }}
{{- range .values.extraVolumes }}
{{- $volumes = append $volumes .name }}
{{- end }}
- name: tmp
  mountPath: /tmp
{{- include "maintenance.postgresCertificateMount" . }}
{{- range .values.extraVolumeMounts }}
{{- if has .name $volumes }}
{{ toYaml (list .) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A verb of the web host for which the database is enough. Takes verb (the container's name) and args. */}}
{{- define "maintenance.databaseVerb" -}}
- name: {{ .verb }}
  image: {{ include "maintenance.image" (dict "root" .root "image" .values.image) }}
  imagePullPolicy: {{ .values.image.pullPolicy }}
  args: {{ toJson .args }}
  {{- include "maintenance.containerSecurity" . | nindent 2 }}
  env:
    {{- include "maintenance.runtimeEnv" .root | nindent 4 }}
    - name: Database__Provider
      value: PostgreSql
    {{- if not .root.Values.postgresql.existingSecretKeys.connectionString }}
    - name: Database__ConnectionString
      value: {{ include "maintenance.postgresConnection" .root | quote }}
    {{- end }}
    {{- with include "maintenance.databaseSecretEnv" .root | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .values.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  resources:
    {{- toYaml .values.resources | nindent 4 }}
  volumeMounts:
    {{- include "maintenance.migrationVolumeMounts" . | nindent 4 }}
{{- end -}}

{{/* Volumes of worker and web host: the settings file, certificates, and room to write. */}}
{{- define "maintenance.volumes" -}}
- name: settings
  configMap:
    name: {{ .name }}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 64Mi
{{- with .values.data }}
- name: data
  {{- if .existingClaim }}
  persistentVolumeClaim:
    claimName: {{ .existingClaim }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .sizeLimit }}
  {{- end }}
{{- end }}
{{- include "maintenance.certificateVolumes" . }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "maintenance.volumeMounts" -}}
- name: settings
  mountPath: /app/appsettings.Production.json
  subPath: appsettings.Production.json
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- if .values.data }}
- name: data
  mountPath: /data
{{- end }}
{{- include "maintenance.certificateMounts" . }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "maintenance.certificateVolumes" -}}
{{- include "maintenance.redisCertificateVolume" . }}
{{- if include "maintenance.usesPostgres" . }}
{{- include "maintenance.postgresCertificateVolume" . }}
{{- end }}
{{- end -}}

{{- define "maintenance.redisCertificateVolume" -}}
{{- with .root.Values.redis.tls.existingSecret }}
- name: redis-tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "maintenance.postgresCertificateVolume" -}}
{{- with .root.Values.postgresql.tls.existingSecret }}
- name: postgresql-tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "maintenance.certificateMounts" -}}
{{- if .root.Values.redis.tls.existingSecret }}
- name: redis-tls
  mountPath: /etc/maintenance/redis-tls
  readOnly: true
{{- end }}
{{- if include "maintenance.usesPostgres" . }}
{{- include "maintenance.postgresCertificateMount" . }}
{{- end }}
{{- end -}}

{{- define "maintenance.postgresCertificateMount" -}}
{{- if .root.Values.postgresql.tls.existingSecret }}
- name: postgresql-tls
  mountPath: /etc/maintenance/postgresql-tls
  readOnly: true
{{- end }}
{{- end -}}
