{{/* A named port, open to the peers (none: everyone) and to the pods of `helm test`. */}}
{{- define "maintenance.ingressRule" -}}
- ports:
    - {port: {{ .port }}, protocol: TCP}
  {{- with .from }}
  from:
    - podSelector:
        matchLabels:
          {{- include "maintenance.selector" (dict "root" $.root "component" "test") | nindent 10 }}
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Names; 5353 is where some clusters' DNS pods listen. */}}
{{- define "maintenance.egressToNames" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
    - {port: 5353, protocol: UDP}
    - {port: 5353, protocol: TCP}
{{- end -}}

{{- define "maintenance.egressToPostgres" -}}
- ports:
    - {port: {{ .Values.postgresql.port | int }}, protocol: TCP}
  {{- with .Values.networkPolicy.postgresqlTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Of pods that hold the credentials of the database and reach nothing else. Takes root and component. */}}
{{- define "maintenance.databaseOnly" -}}
podSelector:
  matchLabels:
    {{- include "maintenance.selector" . | nindent 4 }}
policyTypes: [Ingress, Egress]
ingress: []
egress:
  {{- include "maintenance.egressToNames" .root | nindent 2 }}
  {{- include "maintenance.egressToPostgres" .root | nindent 2 }}
  {{- with .root.Values.networkPolicy.extraEgress }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "maintenance.egressRules" -}}
{{ include "maintenance.egressToNames" . }}
- ports:
    - {port: {{ include "maintenance.redisPort" .root }}, protocol: TCP}
  {{- with .root.Values.networkPolicy.redisTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- if include "maintenance.usesPostgres" . }}
{{ include "maintenance.egressToPostgres" .root }}
{{- end }}
{{- with include "maintenance.outgoingPorts" . | fromJsonArray }}
- ports:
    {{- range . }}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- with .root.Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* TCP ports open to anywhere: those of the values, of the mail server, and of each address in the component's settings. */}}
{{- define "maintenance.outgoingPorts" -}}
{{- $own := ternary .root.Values.webHost .root.Values.worker (eq .component "web-host") }}
{{- $text := toJson $own.settings }}
{{- $ports := list }}
{{- range .root.Values.networkPolicy.outgoingPorts }}
{{- $ports = append $ports (int .) }}
{{- end }}
{{- if and (eq .component "web-host") $own.mail.host }}
{{- $ports = append $ports (int $own.mail.port) }}
{{- end }}
{{- range regexFindAll "([A-Za-z][A-Za-z0-9.-]*|[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+|\\]):[0-9]{2,5}[\"/]" $text -1 }}
{{- $ports = append $ports (regexFind "[0-9]+.$" . | regexFind "^[0-9]+" | int) }}
{{- end }}
{{- if regexMatch "\"http://[A-Za-z0-9.-]+[\"/]" $text }}
{{- $ports = append $ports 80 }}
{{- end }}
{{- $ports | uniq | toJson }}
{{- end -}}
